import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";
import { commandError, isForbidden, isSizeError, refusesWrites } from "./errors.ts";
import type { Command, ReplyItem } from "./transport.ts";

/** An event tells of one code of refused commands at most this often, ms. */
const REFUSED_PAUSE_MS = 60_000;
/** Error codes that are told apart: more than Redis has. */
const MAX_REFUSED_CODES = 32;

export interface Refusals {
  /** @returns whether Redis refused one of the commands. */
  note(items: readonly ReplyItem[], commands: readonly Command[]): boolean;
  /** When Redis last refused a write because it takes none, or none of this token, ms since the epoch; -Infinity before the first time. */
  readonly writesRefusedAt: number;
  /** When Redis last said that this token may not read, likewise. */
  readonly readsRefusedAt: number;
}

/** Tells of commands that Redis refused, once per code and pause: every request may meet the same refusal. */
export function createRefusalEvents({
  platform,
  events,
}: {
  platform: Pick<Platform, "now">;
  events: Events;
}): Refusals {
  const toldAt = new Map<string, number>();
  let writesRefusedAt = Number.NEGATIVE_INFINITY;
  let readsRefusedAt = Number.NEGATIVE_INFINITY;

  return {
    note,
    get writesRefusedAt() {
      return writesRefusedAt;
    },
    get readsRefusedAt() {
      return readsRefusedAt;
    },
  };

  function note(items: readonly ReplyItem[], commands: readonly Command[]): boolean {
    let refused = false;
    for (const [index, { error }] of items.entries()) {
      // A script that is sent again is no failure, and what is too long is no failure of the store.
      if (error === undefined || error.startsWith("NOSCRIPT") || isSizeError(error)) continue;
      refused = true;
      const code = commandError(error).redisCode ?? "ERR";
      const now = platform.now();
      // Without scripts nothing is counted, without MGET nothing is found; what else a token may not do costs less.
      const forbidden = isForbidden(error) ? String(commands[index]?.[0]) : "";
      if (refusesWrites(code) || /^eval/i.test(forbidden)) writesRefusedAt = now;
      if (/^mget$/i.test(forbidden)) readsRefusedAt = now;
      if (Math.abs(now - (toldAt.get(code) ?? Number.NEGATIVE_INFINITY)) < REFUSED_PAUSE_MS) continue;
      if (toldAt.size >= MAX_REFUSED_CODES) toldAt.clear();
      toldAt.set(code, now);
      events.emit("store.refused", { code });
    }
    return refused;
  }
}
