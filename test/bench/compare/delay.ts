/** Timers of Node count whole milliseconds from the last turn of its loop: one may be a millisecond late. */
const LATE_MS = 2;

/**
 * Runs something after a delay, to some hundredths of a millisecond: the last two milliseconds are looked at in every turn of the loop,
 * which takes a processor. For one client at a time.
 */
export function exactly(ms: number, run: () => void): void {
  const dueAt = performance.now() + ms;
  const look = () => {
    if (performance.now() >= dueAt) run();
    else setImmediate(look);
  };
  if (ms > LATE_MS) setTimeout(look, ms - LATE_MS);
  else look();
}
