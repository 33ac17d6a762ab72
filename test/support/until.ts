/** Longer than most things take on a busy machine, and shorter than a test may take. */
const WITHIN_MS = 50_000;
/** The longest pause between two looks. */
const MAX_PAUSE_MS = 50;

/**
 * Waits, in real time and in turns of the event loop, until a condition holds. What a test expects to happen is waited for by
 * itself, never by a time: a busy machine may need longer than any.
 *
 * @param what The condition in words, for the error.
 * @param withinMs When to give up. Default 50 s.
 * @throws Error where it does not hold by then.
 * @example
 * await until(() => origin.count === 3, "three requests have reached the origin");
 */
export async function until(
  condition: () => unknown,
  what = String(condition),
  withinMs = WITHIN_MS,
): Promise<void> {
  const end = performance.now() + withinMs;
  for (let pauseMs = 1; !(await condition()); pauseMs = Math.min(pauseMs * 1.5, MAX_PAUSE_MS)) {
    if (performance.now() > end) throw new Error(`Not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
