import type { Entry } from "./entry.ts";

/** A fill that took longer may have met a write or a withdrawal of which nothing is left but the change, ms: it looks for one. */
const QUICK_FILL_MS = 1000;
/** Ms beside the call to the store that a quick fill may take from its answer to Redis. */
const MARGIN_MS = 800;

/** Whether the answer is written soon after it was asked for. By a clock that went back it may be of any age. */
export function isQuick({ meta }: Pick<Entry, "meta">, now: number): boolean {
  const took = now - meta.requestTime;
  return took >= 0 && took < QUICK_FILL_MS;
}

/** Ms until a quick fill has arrived in Redis, at most. */
export function quickFillTakesMs(longestCallMs: number): number {
  return QUICK_FILL_MS + Math.max(2000, longestCallMs + MARGIN_MS);
}
