// The edge's clock, by which the page tells every time. This machine's may be wrong, and may be set while the page is open.

/** What the edge said last, ms since the epoch, and when that came, by a clock that nobody sets. */
let told = null;

/** @param now Of an answer that has just come; anything else than a number is no time. */
export function learnTime(now) {
  if (Number.isFinite(now)) told = { now, at: performance.now() };
}

/** The edge's time, ms since the epoch: what it said last, and what has passed since. NaN before its first answer. */
export const edgeNow = () => (told === null ? Number.NaN : told.now + performance.now() - told.at);
