import type { Platform } from "./platform.ts";

/** A look-out for a wait in which nothing happens any more. */
export interface SilenceWatch {
  /** Something happened: the silence begins anew. It sets no timer, so that it may be called for every chunk of a body. */
  heard(): void;
  /** Ends the watch. Further calls do nothing. */
  stop(): void;
}

/**
 * Calls `run` each time that nothing has been heard for `ms` milliseconds, until the watch is stopped.
 *
 * @param atMostMs Calls it also after so many milliseconds in all, whatever was heard. Default never. One timer serves both.
 */
export function watchSilence(
  platform: Pick<Platform, "now" | "timer">,
  ms: number,
  run: () => void,
  atMostMs = Number.POSITIVE_INFINITY,
): SilenceWatch {
  let heardAt = platform.now();
  let endsAt = heardAt + atMostMs;
  let stopped = false;
  let cancel = platform.timer(Math.min(ms, atMostMs), look);
  function look(): void {
    const now = platform.now();
    // A clock that was set back makes no silence longer than it is.
    if (now < heardAt) {
      endsAt -= heardAt - now;
      heardAt = now;
    }
    if (now - heardAt >= ms || now >= endsAt) {
      heardAt = now;
      if (now >= endsAt) endsAt = Number.POSITIVE_INFINITY;
      run();
    }
    if (!stopped) cancel = platform.timer(Math.min(heardAt + ms, endsAt) - now, look);
  }
  return {
    heard() {
      heardAt = platform.now();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
