import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";

/** A store whose median reply takes longer is far away, ms: one next to the Worker answers in 5, one across a continent in 50. */
export const FAR_MS = 100;

const PAUSE_MS = 3_600_000;

/** Tells of a store that is far away, once an hour. */
export function createFarEvents({ platform, events }: { platform: Pick<Platform, "now">; events: Events }) {
  let toldAt = Number.NEGATIVE_INFINITY;

  /** @param medianMs Of the last replies; null where there are too few. */
  return function noteDistance(medianMs: number | null): void {
    if (medianMs === null || medianMs <= FAR_MS || Math.abs(platform.now() - toldAt) < PAUSE_MS) return;
    toldAt = platform.now();
    events.emit("store.far", { median_ms: medianMs });
  };
}
