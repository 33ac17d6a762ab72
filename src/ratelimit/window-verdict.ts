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
  const enforced = windowStates.filter((windowState) => windowState.enforced);
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
    ...short.map((windowState) => secondsUntil(windowState.passesAt, now)),
  );
  return {
    kind: "denied",
    listed: false,
    ...facts,
    headers: { ...facts.headers, "Retry-After": String(retryAfterSeconds) },
    retryAfterSeconds,
  };
}
