import { contentLength, isShortBody } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import type { Platform } from "../runtime/platform.ts";
import { moveBody, pipeFor } from "./move-body.ts";
import { WITHOUT_CONTENT } from "./response-headers.ts";

/** Codings that the runtime undoes when a body is read, and applies again when it is sent. */
const UNDONE_BY_THE_RUNTIME = /\b(gzip|br)\b/i;

export interface WatchedBodyOptions {
  /** The request's method: the answer to a HEAD has a length and no content. */
  method: string;
  /** Whether the body is read as the origin sent it, whatever its coding. */
  asSent: boolean;
  /** Whether the requester watches a short body itself. */
  holdsShortBodies: boolean;
  platform: Pick<Platform, "now" | "timer">;
}

/**
 * The body of an answer, which breaks off when the origin falls silent; a client that reads slowly is no silence. Events
 * may be far apart, so that their stream is left alone; and so is a body that the runtime would have to decode for this, and
 * could not encode into the same bytes again. When the client goes, the origin's stream ends.
 */
export function watchedBody(
  { status, headers, body }: Pick<Response, "status" | "headers" | "body">,
  { method, asSent, holdsShortBodies, platform }: WatchedBodyOptions,
): ReadableStream<Uint8Array> | null {
  if (!body || WITHOUT_CONTENT.has(status)) return null;
  if (method === "HEAD" || isEventStream(headers.get("content-type"))) return body;
  if (!asSent && UNDONE_BY_THE_RUNTIME.test(headers.get("content-encoding") ?? "")) return body;
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
