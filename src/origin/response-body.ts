import { contentLength, isCoded, SHORT_BODY_BYTES } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import { ORIGIN_GONE, ORIGIN_LATE, type OriginFailure } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Forwarded } from "./forward.ts";
import { moveBody, pipeFor } from "./move-body.ts";
import { WITHOUT_CONTENT } from "./response-headers.ts";
import { heldBodyMs, readShort, shortBodyMs } from "./short-body.ts";

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
 * The body of an answer. A short one is read first. Any other is a stream that breaks off when the origin falls silent; a client
 * that reads slowly is no silence. Events may be far apart, so that their stream is left alone. When the client goes, the origin's
 * stream ends.
 *
 * @returns a failure of the origin where a short one stalls or breaks off: no part of it has been answered.
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
  if (length !== null && length <= SHORT_BODY_BYTES) {
    const read = await readShort(response, waits, {
      ms: asBytes ? heldBodyMs(length, deadlineMs) : shortBodyMs(length),
      // Other runtimes than workerd decode what they read, so that it has another length than was said.
      length: isCoded(headers) ? null : length,
    });
    waits.stop();
    if (read.kind === "whole") return { kind: "body", body: read.bytes, bytes: read.bytes };
    abandon();
    return read.kind === "stalled" ? ORIGIN_LATE : ORIGIN_GONE;
  }
  waits.stop();
  return { kind: "body", body: watched(body, length, platform) };
}

function watched(
  body: ReadableStream<Uint8Array>,
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
