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
  { admitted, source, now, headers }: WindowVerdictOptions,
): LimitVerdict {
  const enforced = oneOfEachPolicy(windowStates.filter((windowState) => windowState.enforced));
  const short = enforced.filter((windowState) => windowState.short);
  const nearest = nearestOf(enforced);
  const facts = {
    headers: limitHeaders(enforced, nearest, now, headers),
    violated: short.map(({ policy }) => policy.name),
    shadowViolated: windowStates
      .filter((windowState) => windowState.short && !windowState.enforced)
      .map(({ policy }) => policy.name),
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
  const retryAfterSeconds = Math.max(
    1,
    ...short.map((windowState) =>
      secondsUntil(Math.min(windowState.passesAt, latestOf(windowState, now)), now),
    ),
  );
  return {
    kind: "denied",
    listed: false,
    ...facts,
    headers: { ...facts.headers, "Retry-After": String(retryAfterSeconds) },
    retryAfterSeconds,
  };
}

/** A request may be counted for several callers by one policy: the one nearest to denial speaks for it. */
function oneOfEachPolicy(windowStates: WindowState[]): WindowState[] {
  const ids = new Set(windowStates.map(({ policy }) => policy.id));
  if (ids.size === windowStates.length) return windowStates;
  // Not by Map.groupBy, which Node 20 has not: apps that use the package are tested there.
  return [...ids].flatMap((id) => nearestOf(windowStates.filter(({ policy }) => policy.id === id)) ?? []);
}

/** A cost above the limit never passes. Whoever waits is told the time in which the whole limit is there again. */
function latestOf({ policy }: WindowState, now: number): number {
  const { windowMs, refill, limit } = policy;
  return now + (refill > 0 ? Math.ceil(limit / refill) : 2) * windowMs;
}
