import { BODY_SILENCE_MS } from "../http/content.ts";
import type { Waits } from "../runtime/waits.ts";

/** At 500 bytes a second, the least that Apache's `RequestReadTimeout` takes by default. */
const MS_PER_BYTE = 2;

/**
 * How long a short body may take, ms: as long as any body may be silent, or as its bytes need on the slowest line that counts. It is
 * read at once, so that its single silences are not heard.
 */
export function shortBodyMs(length: number): number {
  return Math.max(BODY_SILENCE_MS, MS_PER_BYTE * length);
}

/** The longest that the client waits for a body that is held back until all of it is here, ms; the origin's deadline where that is longer. */
const MAX_HELD_MS = 60_000;

/**
 * The same where the cache may have an older answer to give in its place: as long as the origin may be silent, or as its bytes need,
 * up to a bound.
 *
 * @param deadlineMs `ORIGIN_DEADLINE_MS`.
 */
export function heldBodyMs(length: number, deadlineMs: number): number {
  return Math.max(deadlineMs, Math.min(MAX_HELD_MS, MS_PER_BYTE * length));
}

/** What was read of a short body: all of it; that the rest did not come in time; or that it broke off. */
export type ShortBody =
  | { kind: "whole"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "stalled" }
  | { kind: "broken" };

export interface ReadOptions {
  /** How long all of it may take, milliseconds: {@link shortBodyMs} or {@link heldBodyMs}. */
  ms: number;
  /** Its bytes, as its message says, or null. The runtime gives neither more nor, without an error, fewer (RFC 9112 §6.3). */
  length: number | null;
}

/**
 * Reads a body that is said to be short, in one call of the runtime: bytes are passed on for less than a stream that JavaScript
 * watches.
 *
 * @param message Whose body is neither read nor locked.
 * @param waits Where the wait for it begins. Its reader ends it.
 */
export function readShort(
  message: Pick<Body, "arrayBuffer">,
  waits: Waits,
  { ms, length }: ReadOptions,
): Promise<ShortBody> {
  return new Promise((resolve) => {
    waits.next(ms, () => resolve({ kind: "stalled" }));
    message.arrayBuffer().then(
      (read) => {
        const bytes = new Uint8Array(read);
        const isWhole = length === null || bytes.length === length;
        resolve(isWhole ? { kind: "whole", bytes } : { kind: "broken" });
      },
      () => resolve({ kind: "broken" }),
    );
  });
}
