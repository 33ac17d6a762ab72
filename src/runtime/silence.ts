import type { Platform } from "./platform.ts";

/** A look-out for a wait in which nothing happens any more. */
export interface SilenceWatch {
  /** Something happened: the silence begins anew. It sets no timer, so that it may be called for every chunk of a body. */
  heard(): void;
  /** Ends the watch. Further calls do nothing. */
  stop(): void;
}

/** Calls `run` each time that nothing has been heard for `ms` milliseconds, until the watch is stopped. */
export function watchSilence(
  platform: Pick<Platform, "now" | "timer">,
  ms: number,
  run: () => void,
): SilenceWatch {
  let heardAt = platform.now();
  let stopped = false;
  let cancel = platform.timer(ms, look);
  function look(): void {
    const silentFor = platform.now() - heardAt;
    if (silentFor >= ms) {
      heardAt += silentFor;
      run();
    }
    if (!stopped) cancel = platform.timer(heardAt + ms - platform.now(), look);
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
