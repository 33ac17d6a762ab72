import type { Algorithm } from "./algorithm.ts";
import {
  pendingByWindow,
  type WindowCounts,
  windowKey,
  windowMembers,
  writeCounter,
} from "./counter-windows.ts";
import { chargeByLibrary } from "./library.ts";

/** Two counters: this window's, and the last one's by the part of it that still lies within a window from now. */
export const slidingWindow: Algorithm<WindowCounts> = {
  ...windowMembers,
  used: ({ windowMs }, { current, previous }, now) => current + weight(previous, now % windowMs, windowMs),
  passesAt({ limit, windowMs }, { number, current, previous }, _, units) {
    const start = number * windowMs;
    const roomNow = limit - current - units;
    return roomNow >= 0
      ? start + weighsAtMost(previous, windowMs, roomNow)
      : start + windowMs + weighsAtMost(current, windowMs, limit - units);
  },
  pending: pendingByWindow,
  keys(keys, counter, now) {
    const number = Math.floor(now / counter.policy.windowMs);
    return [windowKey(keys, counter, number), windowKey(keys, counter, number - 1)];
  },
  lua: {
    keys: 2,
    strings: true,
    arguments: 0,
    read: `
  l.current, l.previous = count(l.values[1] or 0), count(l.values[2] or 0)
  l.room = l.limit - l.current - math.floor((1 - (now % l.window) / l.window) * l.previous)`,
    write: writeCounter,
  },
  chargeByLibrary,
};

/** What the previous window still weighs: @upstash/ratelimit's formula, in its own order of floating-point operations. */
function weight(previous: number, elapsedMs: number, windowMs: number): number {
  return Math.floor((1 - elapsedMs / windowMs) * previous);
}

/**
 * The first whole millisecond of a window at which `previous` weighs at most `room`: the least `elapsed` with
 * `previous × (windowMs − elapsed) < (room + 1) × windowMs`, corrected by a step where floating point rounds otherwise.
 */
function weighsAtMost(previous: number, windowMs: number, room: number): number {
  let elapsed = Math.max(0, Math.floor(windowMs - ((room + 1) * windowMs) / previous) + 1);
  while (elapsed > 0 && weight(previous, elapsed - 1, windowMs) <= room) elapsed -= 1;
  while (elapsed < windowMs && weight(previous, elapsed, windowMs) > room) elapsed += 1;
  return elapsed;
}
