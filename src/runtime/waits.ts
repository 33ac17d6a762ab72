import type { Platform } from "./platform.ts";

/** Waits that follow one another, each with an end. */
export interface Waits {
  /**
   * What is waited for from now on, in place of what was waited for before.
   *
   * @param ms How long, milliseconds.
   * @param late Called once, if it has not come by then.
   */
  next(ms: number, late: () => void): void;
  /** Nothing is waited for any more. */
  stop(): void;
}

/**
 * When the first timer runs out at the latest, ms. As long as an answer's fields wait for its short body, which is the shortest wait: it
 * then needs no timer of its own, and most requests are over by then.
 */
export const FIRST_LOOK_MS = 100;

/**
 * Waits that share one timer: to set one and to clear it costs as much as to make a response, and nearly every wait is over long
 * before its end. A timer that has run out while a later wait is not over is set anew.
 */
export function waitsOf(platform: Pick<Platform, "now" | "timer">): Waits {
  /** What is waited for, and how long from `begunAt` on, ms; null: nothing is. */
  let wait: { late(): void; begunAt: number; ms: number } | null = null;
  let timer: { at: number; cancel(): void } | null = null;

  function set({ begunAt, ms }: { begunAt: number; ms: number }): void {
    timer?.cancel();
    timer = { at: begunAt + ms, cancel: platform.timer(ms, look) };
  }
  function look(): void {
    timer = null;
    if (!wait) return;
    const { late, begunAt, ms } = wait;
    const now = platform.now();
    // A clock that was set back makes no wait longer than a second timer.
    const left = ms - Math.max(0, now - begunAt);
    wait = left > 0 ? { late, begunAt: now, ms: left } : null;
    if (wait) set(wait);
    else late();
  }
  return {
    next(ms, late) {
      wait = { late, begunAt: platform.now(), ms };
      if (!timer) set({ begunAt: wait.begunAt, ms: Math.min(ms, FIRST_LOOK_MS) });
      else if (timer.at > wait.begunAt + ms) set(wait);
    },
    stop() {
      wait = null;
      timer?.cancel();
      timer = null;
    },
  };
}
