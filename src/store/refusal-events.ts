import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";
import { commandError, isSizeError } from "./errors.ts";
import type { ReplyItem } from "./transport.ts";

/** An event tells of one code of refused commands at most this often, ms. */
const REFUSED_PAUSE_MS = 60_000;
/** Error codes that are told apart: more than Redis has. */
const MAX_REFUSED_CODES = 32;

/** Tells of commands that Redis refused, once per code and pause: every request may meet the same refusal. */
export function createRefusalEvents({
  platform,
  events,
}: {
  platform: Pick<Platform, "now">;
  events: Events;
}) {
  const toldAt = new Map<string, number>();

  /** @returns whether Redis refused a command. */
  return function noteRefusals(items: readonly ReplyItem[]): boolean {
    let refused = false;
    for (const { error } of items) {
      // A script that is sent again is no failure, and what is too long is no failure of the store.
      if (error === undefined || error.startsWith("NOSCRIPT") || isSizeError(error)) continue;
      refused = true;
      const code = commandError(error).redisCode ?? "ERR";
      const now = platform.now();
      if (Math.abs(now - (toldAt.get(code) ?? Number.NEGATIVE_INFINITY)) < REFUSED_PAUSE_MS) continue;
      if (toldAt.size >= MAX_REFUSED_CODES) toldAt.clear();
      toldAt.set(code, now);
      events.emit("store.refused", { code });
    }
    return refused;
  };
}
