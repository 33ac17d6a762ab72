import { BODY_SILENCE_MS } from "../http/content.ts";
import type { Waits } from "../runtime/waits.ts";
import { readerOf } from "./move-body.ts";

/** Bytes of the first read: most short content is no longer, and a client may say more than it sends. */
const FIRST_READ_BYTES = 16_384;

/**
 * What the first read of a body brought: all of it; a part, and the rest can be read on; nothing for {@link BODY_SILENCE_MS}; or
 * that it broke off.
 */
export type FirstRead =
  | { kind: "whole"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "part"; bytes: Uint8Array }
  | { kind: "stalled" }
  | { kind: "broken" };

/**
 * Reads once from a body that is said to be short. Nearly always that is all of it, and bytes are passed on for less than a
 * stream that JavaScript watches: with both bodies of a POST watched, that was a fifth of its CPU in a profile.
 *
 * @param length Its bytes, as its message says. The runtime gives neither more nor, without an error, fewer (RFC 9112 §6.3).
 * @param waits Where the wait for it begins. It is not ended here: what is waited for next takes its place.
 */
export async function firstRead(
  body: ReadableStream<Uint8Array>,
  length: number,
  waits: Waits,
): Promise<FirstRead> {
  const { read, cancel, release } = readerOf(body, length, FIRST_READ_BYTES);
  let stalled = false;
  waits.next(BODY_SILENCE_MS, () => {
    stalled = true;
    void cancel(new Error("The body has stalled"));
  });
  try {
    const { done, value = new Uint8Array() } = await read();
    if (stalled) return { kind: "stalled" };
    if (value.length === length) return { kind: "whole", bytes: value as Uint8Array<ArrayBuffer> };
    release();
    return done ? { kind: "broken" } : { kind: "part", bytes: value };
  } catch {
    return { kind: stalled ? "stalled" : "broken" };
  }
}
