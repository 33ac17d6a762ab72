import { contentLength, isCoded, SHORT_BODY_BYTES } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import { ORIGIN_GONE, ORIGIN_LATE, type OriginFailure } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Forwarded } from "./forward.ts";
import { type BodyReader, moveBody, pipeFor } from "./move-body.ts";
import { WITHOUT_CONTENT } from "./response-headers.ts";
import { beginShort, heldBodyMs, readShort } from "./short-body.ts";

export interface AnswerBodyOptions {
  /** The request's method: the answer to a HEAD has a length and no content. */
  method: string;
  /** Whether the requester is to store a short one. */
  asBytes: boolean;
  /** Milliseconds that such a one may be silent. */
  deadlineMs: number;
  platform: Pick<Platform, "now" | "timer">;
}

/** What is answered with. */
export interface AnswerBody {
  kind: "body";
  body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
  /** The same, where all of it is here. */
  bytes?: Uint8Array<ArrayBuffer>;
}

/**
 * The body of an answer. A short one is read first: to its end where it is to be stored, else once, so that the fields of an answer
 * do not wait for a body that takes its time. Any other, and the rest of such a one, is a stream that breaks off when the origin falls
 * silent; a client that reads slowly is no silence. Events may be far apart, so that their stream is left alone. When the client goes,
 * the origin's stream ends.
 *
 * @returns a failure of the origin where one stalls or breaks off of which no part has been answered.
 */
export async function answerBody(
  { response, waits, abandon }: Forwarded,
  { method, asBytes, deadlineMs, platform }: AnswerBodyOptions,
): Promise<AnswerBody | OriginFailure> {
  const { status, headers, body } = response;
  const length = contentLength(headers);
  if (!body || WITHOUT_CONTENT.has(status)) {
    waits.stop();
    return { kind: "body", body: null };
  }
  if (method === "HEAD" || isEventStream(headers.get("content-type"))) {
    waits.stop();
    return { kind: "body", body };
  }
  const isShort = length !== null && length > 0 && length <= SHORT_BODY_BYTES;
  // Other runtimes than workerd decode what they read, so that it has another length than was said.
  if (isShort && asBytes) {
    const ms = heldBodyMs(length, deadlineMs);
    const read = await readShort(response, waits, { ms, length: isCoded(headers) ? null : length });
    waits.stop();
    if (read.kind === "whole") return { kind: "body", body: read.bytes, bytes: read.bytes };
    abandon();
    return read.kind === "stalled" ? ORIGIN_LATE : ORIGIN_GONE;
  }
  if (isShort && !isCoded(headers)) {
    const begun = await beginShort(body, length, waits);
    waits.stop();
    if (begun.kind === "whole") return { kind: "body", body: begun.bytes, bytes: begun.bytes };
    if (begun.kind === "rest") return { kind: "body", body: watched(begun.reader, length, platform) };
    abandon();
    return ORIGIN_GONE;
  }
  waits.stop();
  return { kind: "body", body: watched(body, length, platform) };
}

function watched(
  body: ReadableStream<Uint8Array> | BodyReader,
  length: number | null,
  platform: Pick<Platform, "now" | "timer">,
): ReadableStream<Uint8Array> {
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
