const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longer than a test file takes on a busy machine. */
const NEEDED_MS = 6 * MINUTE_MS;

/**
 * What to add to the machine's clock, so that no hour and no day ends while a test file runs: windows of limits are parts of
 * the hour or the day, and what was counted in one is not in the next. A clock behind is safe for tokens that expire.
 *
 * @param now The machine's time, ms since the epoch.
 * @returns ms; 0 but for the last minutes of an hour.
 */
export function clearOfTheHour(now: number): number {
  return HOUR_MS - (now % HOUR_MS) < NEEDED_MS ? -2 * NEEDED_MS : 0;
}
