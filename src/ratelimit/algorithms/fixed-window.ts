import type { Algorithm } from "./algorithm.ts";
import {
  pendingByWindow,
  type WindowCounts,
  windowKey,
  windowMembers,
  writeCounter,
} from "./counter-windows.ts";

/** A counter that begins anew with each window. Up to twice the limit can pass around the end of a window. */
export const fixedWindow: Algorithm<WindowCounts> = {
  ...windowMembers,
  used: (_, { current }) => current,
  passesAt: ({ windowMs }, { number }) => (number + 1) * windowMs,
  pending: pendingByWindow,
  keys: (keys, counter, now) => [windowKey(keys, counter, Math.floor(now / counter.policy.windowMs))],
  lua: {
    keys: 1,
    strings: true,
    arguments: 0,
    read: `
  l.current, l.previous = count(l.values[1] or 0), 0
  l.room = l.limit - l.current`,
    write: writeCounter,
  },
};
