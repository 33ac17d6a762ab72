import type { Platform } from "../runtime/platform.ts";
import { watchSilence } from "../runtime/silence.ts";
import { joined } from "./collect.ts";

/** The longest a body is held, however steadily it comes, ms; `ORIGIN_DEADLINE_MS` where that is longer. */
const MAX_HELD_MS = 60_000;

/** A whole body; or that nothing came for the deadline; or that it broke off. */
export type HeldBody =
  | { kind: "whole"; bytes: Uint8Array<ArrayBuffer> }
  | { kind: "stalled" }
  | { kind: "broken" };

/**
 * Reads a small body before it is answered with.
 *
 * @param deadlineMs Milliseconds without a byte after which it has stalled.
 * @param length Bytes after which it is whole, where its sender cannot send more than it says (RFC 9112 §6.3). Default: it
 *   is read to its end.
 */
export async function heldBody(
  body: ReadableStream<Uint8Array>,
  platform: Pick<Platform, "now" | "timer">,
  deadlineMs: number,
  length = Number.POSITIVE_INFINITY,
): Promise<HeldBody> {
  const reader = body.getReader();
  let giveUp = () => {};
  // Not by Promise.withResolvers, which Node 20 has not: apps that use the package are tested there.
  const stalled = new Promise<HeldBody>((resolve) => {
    giveUp = () => {
      resolve({ kind: "stalled" });
      void reader.cancel().catch(() => {});
    };
  });
  const watch = watchSilence(platform, deadlineMs, giveUp, Math.max(MAX_HELD_MS, deadlineMs));
  async function read(): Promise<HeldBody> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return { kind: "whole", bytes: joined(chunks) };
        watch.heard();
        chunks.push(value);
        bytes += value.length;
        // One read less: the last one costs as much as the first.
        if (bytes === length) return { kind: "whole", bytes: joined(chunks) };
      }
    } catch {
      return { kind: "broken" };
    }
  }
  const held = await Promise.race([stalled, read()]);
  watch.stop();
  return held;
}
