import { contentLength, isCoded, isShortBody } from "../http/content.ts";
import { isEventStream } from "../http/event-stream.ts";
import { ORIGIN_GONE, ORIGIN_LATE, type OriginFailure } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Forwarded } from "./forward.ts";
import { moveBody, pipeFor } from "./move-body.ts";
import { WITHOUT_CONTENT } from "./response-headers.ts";
import { readShort } from "./short-body.ts";

export interface AnswerBodyOptions {
  /** The request's method: the answer to a HEAD has a length and no content. */
  method: string;
  /** Whether the requester watches a short body itself. */
  holdsShortBodies: boolean;
  platform: Pick<Platform, "now" | "timer">;
}

/** What is answered with. */
export interface AnswerBody {
  kind: "body";
  body: ReadableStream<Uint8Array> | ArrayBuffer | null;
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
  { method, holdsShortBodies, platform }: AnswerBodyOptions,
): Promise<AnswerBody | OriginFailure> {
  const { status, headers, body } = response;
  const length = contentLength(headers);
  const isShort = isShortBody(headers) && length !== null;
  const hasNone = !body || WITHOUT_CONTENT.has(status);
  const isLeftAlone = method === "HEAD" || isEventStream(headers.get("content-type"));
  // Other runtimes than workerd decode what they read, so that it has another length than was said.
  if (!hasNone && !isLeftAlone && isShort && !holdsShortBodies && !isCoded(headers)) {
    const read = await readShort(response, length, waits);
    waits.stop();
    if (read.kind === "whole") return { kind: "body", body: read.bytes };
    abandon();
    return read.kind === "stalled" ? ORIGIN_LATE : ORIGIN_GONE;
  }
  waits.stop();
  if (hasNone) return { kind: "body", body: null };
  const isPassedOn = isLeftAlone || (holdsShortBodies && isShort);
  return { kind: "body", body: isPassedOn ? body : watched(body, length, platform) };
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
