import { type HeaderOptions, limitHeaders } from "./headers.ts";
import type { LimitSource, LimitVerdict } from "./verdict.ts";
import { nearestOf, secondsUntil, type WindowState } from "./window-state.ts";

export interface WindowVerdictOptions {
  admitted: boolean;
  source: LimitSource;
  /** ms since the epoch. */
  now: number;
  headers: HeaderOptions;
}

/** What the windows of a request say together. */
export function windowVerdict(
  windowStates: readonly WindowState[],
  { admitted, source, now, headers: options }: WindowVerdictOptions,
): LimitVerdict {
  const enforced = oneOfEachPolicy(windowStates.filter(isEnforced));
  const short = enforced.filter(isShort);
  const nearest = nearestOf(enforced);
  const facts = {
    headers: limitHeaders(enforced, nearest, now, options),
    violated: short.map(nameOf),
    shadowViolated: windowStates.filter(isShortInShadow).map(nameOf),
    source,
    nearest: nearest
      ? {
          name: nearest.policy.name,
          limit: nearest.policy.limit,
          remaining: nearest.remaining,
          resetAt: nearest.growsAt,
        }
      : null,
  };
  if (admitted) return { kind: "allowed", ...facts };
  const denied = { kind: "denied", listed: false, ...facts } as const;
  const seconds = Math.max(1, ...short.map(({ passesAt }) => secondsUntil(passesAt, now)));
  // The cost is above a limit: there is no moment to wait for.
  if (seconds === Number.POSITIVE_INFINITY) return { ...denied, retryAfterSeconds: null };
  const headers = { ...facts.headers, "Retry-After": String(seconds) };
  return { ...denied, headers, retryAfterSeconds: seconds };
}

/** A request may be counted for several callers by one policy: the one nearest to denial speaks for it. */
function oneOfEachPolicy(windowStates: WindowState[]): WindowState[] {
  if (windowStates.length < 2) return windowStates;
  const ids = new Set(windowStates.map(({ policy }) => policy.id));
  if (ids.size === windowStates.length) return windowStates;
  // Not by Map.groupBy, which Node 20 has not: apps that use the package are tested there.
  return [...ids].flatMap((id) => nearestOf(windowStates.filter(({ policy }) => policy.id === id)) ?? []);
}

function isEnforced({ enforced }: WindowState): boolean {
  return enforced;
}

function isShort({ short }: WindowState): boolean {
  return short;
}

function isShortInShadow({ short, enforced }: WindowState): boolean {
  return short && !enforced;
}

function nameOf({ policy }: WindowState): string {
  return policy.name;
}
