const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * A window in whole milliseconds, or null when it is not written as @upstash/ratelimit writes windows (`10 s`, `1m`,
 * `1.5 h`), or is shorter than a millisecond.
 */
export function durationMs(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d|w)$/.exec(text);
  if (!match) return null;
  const ms = Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
  return ms >= 1 && Number.isSafeInteger(ms) ? ms : null;
}
