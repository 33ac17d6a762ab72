/** Activity is written down at most this often, ms, however long a session may be silent. */
const MAX_TOUCH_INTERVAL_MS = 60_000;

export interface IdleTimes {
  /** `last_active` is written at most once in this time, ms: what a record says may be this old. */
  touchIntervalMs: number;
  /**
   * How long after the last activity that is written down a session ends, ms. It was silent for `SESSION_IDLE_SECONDS` then,
   * whatever activity since the last touch is not written down.
   */
  lifetimeMs: number;
}

/** @param idleSeconds `SESSION_IDLE_SECONDS`. */
export function idleTimes(idleSeconds: number): IdleTimes {
  const idleMs = idleSeconds * 1000;
  const touchIntervalMs = Math.min(MAX_TOUCH_INTERVAL_MS, Math.floor(idleMs / 4));
  return { touchIntervalMs, lifetimeMs: idleMs + touchIntervalMs };
}
