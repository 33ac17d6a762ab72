import type { Waits } from "../runtime/waits.ts";
import { type BodyReader, readerOf } from "./move-body.ts";

/** At 500 bytes a second, the least that Apache's `RequestReadTimeout` takes by default. */
const MS_PER_BYTE = 2;

/** The longest that the client waits for a body that is held back until all of it is here, ms; the origin's deadline where that is longer. */
const MAX_HELD_MS = 60_000;

/**
 * How long all of a body that is to be stored may take, ms: as long as the origin may be silent, or as its bytes need on the slowest
 * line that counts, up to a bound. It is read at once, so that its single silences are not heard.
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
  /** How long all of it may take, milliseconds: {@link heldBodyMs}. */
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

/** How long an answer's fields wait for the first part of its short body, ms. */
const PATIENCE_MS = 100;

/** All of a body; what is left of it, from its first byte on; or that it broke off before that. */
export type BegunBody =
  | { kind: "whole"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "rest"; reader: BodyReader }
  | { kind: "broken" };

/**
 * Reads once from a body that is said to be short. Nearly always that is all of it, and bytes are passed on for less than a stream
 * that JavaScript watches. Where it is not, or nothing comes, the answer's fields do not wait for the rest.
 *
 * @param length Its bytes, as its message says.
 * @param waits Where the wait for it begins. Its reader ends it.
 */
export async function beginShort(
  body: ReadableStream<Uint8Array>,
  length: number,
  waits: Waits,
): Promise<BegunBody> {
  const reader = readerOf(body, length);
  const first = reader.read();
  const begun = await new Promise<Awaited<typeof first> | "late" | "broken">((resolve) => {
    waits.next(PATIENCE_MS, () => resolve("late"));
    first.then(resolve, () => resolve("broken"));
  });
  if (begun === "broken" || (begun !== "late" && begun.done)) return { kind: "broken" };
  if (begun !== "late" && begun.value.length === length)
    return { kind: "whole", bytes: begun.value as Uint8Array<ArrayBuffer> };
  let isFirst = true;
  const read = () => {
    const next = isFirst ? first : reader.read();
    isFirst = false;
    return next;
  };
  return { kind: "rest", reader: { ...reader, read } };
}
