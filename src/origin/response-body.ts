import { contentLength, isCoded, isShortBody } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import type { Platform } from "../runtime/platform.ts";
import { firstRead } from "./first-read.ts";
import { moveBody, pipeFor } from "./move-body.ts";
import { WITHOUT_CONTENT } from "./response-headers.ts";

export interface WatchedBodyOptions {
  /** The request's method: the answer to a HEAD has a length and no content. */
  method: string;
  /** Whether the requester watches a short body itself. */
  holdsShortBodies: boolean;
  platform: Pick<Platform, "now" | "timer">;
}

/**
 * The body of an answer, which breaks off when the origin falls silent; a client that reads slowly is no silence. Events
 * may be far apart, so that their stream is left alone. When the client goes, the origin's stream ends.
 */
export async function watchedBody(
  { status, headers, body }: Pick<Response, "status" | "headers" | "body">,
  { method, holdsShortBodies, platform }: WatchedBodyOptions,
): Promise<ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null> {
  if (!body || WITHOUT_CONTENT.has(status)) return null;
  if (method === "HEAD" || isEventStream(headers.get("content-type"))) return body;
  const length = contentLength(headers);
  const short = isShortBody(headers);
  if (holdsShortBodies && short) return body;
  // Other runtimes than workerd decode what they read, so that it has another length than was said.
  if (length === null || !short || isCoded(headers)) return watched(body, length, platform);
  const begun = await firstRead(body, length, platform);
  if (begun.kind === "whole") return begun.bytes;
  return begun.kind === "part" ? watched(body, length, platform, begun.bytes) : brokenOff(length);
}

function watched(
  body: ReadableStream<Uint8Array>,
  length: number | null,
  platform: Pick<Platform, "now" | "timer">,
  first?: Uint8Array,
): ReadableStream<Uint8Array> {
  const pipe = pipeFor(length);
  moveBody(body, pipe.writable, {
    platform,
    length,
    first,
    stalled(side, { stop }) {
      if (side === "source") stop();
    },
  });
  return pipe.readable;
}

/** A body that fails, so that nobody takes nothing for the whole. */
function brokenOff(length: number): ReadableStream<Uint8Array> {
  const { readable, writable } = pipeFor(length);
  void writable.abort(new Error("The body has stalled or broken off")).catch(() => {});
  return readable;
}
