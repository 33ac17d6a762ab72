import { contentLength } from "../http/content.ts";
import type { Platform } from "../runtime/platform.ts";
import { moveBody, pipeFor } from "./move-body.ts";

/** How the sending of a request's content ended. */
export type Sent = "sent" | "client stalled" | "client broke off" | "origin stalled" | "origin broke off";

export interface Sending {
  /** For the request to the origin. */
  body: ReadableStream<Uint8Array>;
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
 */
export function sendContent(
  body: ReadableStream<Uint8Array>,
  headers: Headers,
  platform: Pick<Platform, "now" | "timer">,
): Sending {
  const pipe = pipeFor(contentLength(headers));
  const stall = Promise.withResolvers<Sent>();
  const move = moveBody(body, pipe.writable, {
    platform,
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
