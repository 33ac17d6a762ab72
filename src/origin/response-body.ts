import { contentLength, isShortBody } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import type { Platform } from "../runtime/platform.ts";
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
export function watchedBody(
  { status, headers, body }: Pick<Response, "status" | "headers" | "body">,
  { method, holdsShortBodies, platform }: WatchedBodyOptions,
): ReadableStream<Uint8Array> | null {
  if (!body || WITHOUT_CONTENT.has(status)) return null;
  if (method === "HEAD" || isEventStream(headers.get("content-type"))) return body;
  const length = contentLength(headers);
  if (holdsShortBodies && isShortBody(headers)) return body;
  const pipe = pipeFor(length);
  moveBody(body, pipe.writable, {
    platform,
    length,
    stalled(side, { stop }) {
      if (side === "source") stop();
    },
  });
  return pipe.readable;
}
