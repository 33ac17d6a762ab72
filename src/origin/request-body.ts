import { contentLength, isShortBody } from "../http/content.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Waits } from "../runtime/waits.ts";
import { firstRead } from "./first-read.ts";
import { FIRST_CHUNK_BYTES, moveBody, pipeFor, readerOf } from "./move-body.ts";

/** How the sending of a request's content ended. */
export type Sent = "sent" | "client stalled" | "client broke off" | "origin stalled" | "origin broke off";

export interface Sending {
  /** For the request to the origin. */
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer>;
  /** How it ended; it never rejects. */
  ended: Promise<Sent>;
  /** No silence ends it any more: from now on the answer is what is waited for. */
  answered(): void;
  /** Breaks it off. */
  stop(): void;
}

/**
 * Sends a request's content to the origin and hears of each chunk: an upload may take its time, but not stand still. It has
 * the length that the client said, so that `Content-Length` reaches the origin.
 *
 * @returns how it ended, where the client has sent nothing of a short one: then the origin need not be asked.
 */
export async function sendContent(
  body: ReadableStream<Uint8Array>,
  headers: Headers,
  { platform, waits }: { platform: Pick<Platform, "now" | "timer">; waits: Waits },
): Promise<Sending | "client stalled" | "client broke off"> {
  const length = contentLength(headers);
  if (length === null || !isShortBody(headers)) return streamed(body, length, platform);
  const begun = await firstRead(body, length, waits);
  if (begun.kind === "whole") return atOnce(begun.bytes);
  waits.stop();
  if (begun.kind === "part") return streamed(body, length, platform, begun.bytes);
  return begun.kind === "stalled" ? "client stalled" : "client broke off";
}

/** Content that is here: the runtime sends it as it sends the fields. */
function atOnce(body: Uint8Array<ArrayBuffer>): Sending {
  return { body, ended: Promise.resolve("sent"), answered: () => {}, stop: () => {} };
}

function streamed(
  body: ReadableStream<Uint8Array>,
  length: number | null,
  platform: Pick<Platform, "now" | "timer">,
  first?: Uint8Array,
): Sending {
  const pipe = pipeFor(length);
  const stall = Promise.withResolvers<Sent>();
  const move = moveBody(readerOf(body, length, FIRST_CHUNK_BYTES), pipe.writable, {
    platform,
    first,
    stalled(side, { stop }) {
      stall.resolve(side === "source" ? "client stalled" : "origin stalled");
      stop();
    },
  });
  const moved = move.ended.then((end): Sent => {
    if (end === "done") return "sent";
    return end === "source failed" ? "client broke off" : "origin broke off";
  });
  return {
    body: pipe.readable,
    ended: Promise.race([stall.promise, moved]),
    answered: move.unwatch,
    stop: move.stop,
  };
}
