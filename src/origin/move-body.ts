import { BODY_SILENCE_MS } from "../http/content.ts";
import type { Platform } from "../runtime/platform.ts";
import { watchSilence } from "../runtime/silence.ts";

/** Bytes of one read at most: the runtime's own reads have 4 KiB, and each costs a turn of the loop. */
const MAX_CHUNK_BYTES = 65_536;
/**
 * Bytes of the first read of a body that may be silent: so much memory each one takes of the isolate that somebody has begun and does
 * not go on with. A read that is filled is followed by one of twice as many.
 */
export const FIRST_CHUNK_BYTES = 4096;

/** The two sides of a body that is moved. */
export type Side = "source" | "sink";

/** How a move ended: at the body's end, because a side failed, or because it was stopped. */
export type MoveEnd = "done" | "stopped" | `${Side} failed`;

export interface Move {
  /** It never rejects. */
  ended: Promise<MoveEnd>;
  /** Breaks both sides off, so that nobody takes what came for the whole. Of no effect once it has ended. */
  stop(): void;
  /** Nothing is called stalled any more. */
  unwatch(): void;
}

export interface MoveOptions {
  platform: Pick<Platform, "now" | "timer">;
  /** Bytes of the body, where they are known: a short one is not read into 64 KiB. Default null, unknown. */
  length?: number | null;
  /** What was read of the body already. Default nothing. */
  first?: Uint8Array | undefined;
  /** Called when one side has kept the other waiting for {@link BODY_SILENCE_MS}. The move goes on unless it is stopped. */
  stalled(side: Side, move: Move): void;
}

/**
 * Moves a body, or what a reader has not read of it, chunk by chunk, so that each can be heard of; the runtime's own `pipeTo` tells
 * nothing before its end. When one side fails, the other is broken off.
 */
export function moveBody(
  source: ReadableStream<Uint8Array> | BodyReader,
  sink: WritableStream<Uint8Array>,
  { platform, length = null, first, stalled }: MoveOptions,
): Move {
  const { read, cancel } = "read" in source ? source : readerOf(source, length);
  const writer = sink.getWriter();
  // Each failure is seen where it is waited for.
  void writer.closed.catch(() => {});
  let side: Side = "source";
  let stopped = false;
  let over = false;
  const watch = watchSilence(platform, BODY_SILENCE_MS, () => stalled(side, move));
  const waitFor = (next: Side) => {
    side = next;
    watch.heard();
  };
  const breakOff = (reason: unknown) => {
    void cancel(reason);
    void writer.abort(reason).catch(() => {});
  };

  async function run(): Promise<MoveEnd> {
    try {
      if (first) {
        waitFor("sink");
        await writer.write(first);
      }
      for (;;) {
        waitFor("source");
        const { done, value } = await read();
        if (stopped) return "stopped";
        waitFor("sink");
        if (done) break;
        await writer.write(value);
      }
      await writer.close();
      return "done";
    } catch (error) {
      if (stopped) return "stopped";
      breakOff(error);
      return `${side} failed`;
    } finally {
      over = true;
      watch.stop();
    }
  }

  const move: Move = {
    ended: run(),
    stop() {
      if (over) return;
      stopped = true;
      watch.stop();
      breakOff(new Error("The body has stalled"));
    },
    unwatch: () => watch.stop(),
  };
  return move;
}

/** One reader of a body. */
export interface BodyReader {
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  /** It never rejects. */
  cancel(reason: unknown): Promise<void>;
  /** Lets another read on. */
  release(): void;
}

/**
 * Reads into memory of our own where the stream can do that, as those of the runtime can.
 *
 * @param firstBytes Of the first read. Default as many as it may have of a body that says its length, else {@link FIRST_CHUNK_BYTES}.
 */
export function readerOf(
  source: ReadableStream<Uint8Array>,
  length: number | null,
  firstBytes = length === null ? FIRST_CHUNK_BYTES : MAX_CHUNK_BYTES,
): BodyReader {
  const most = Math.max(1, Math.min(length ?? MAX_CHUNK_BYTES, MAX_CHUNK_BYTES));
  let bytes = Math.min(most, firstBytes);
  const cancelling = (reader: ReadableStreamDefaultReader | ReadableStreamBYOBReader) => (reason: unknown) =>
    reader.cancel(reason).catch(() => {});
  try {
    const reader = source.getReader({ mode: "byob" });
    return {
      async read() {
        const result = await reader.read(new Uint8Array(bytes));
        const filled = result.value?.length ?? 0;
        if (filled === bytes) bytes = Math.min(most, 2 * bytes);
        else if (filled < bytes / 4) bytes = Math.min(bytes, Math.max(FIRST_CHUNK_BYTES, bytes / 2));
        return result;
      },
      cancel: cancelling(reader),
      release: () => reader.releaseLock(),
    };
  } catch {
    const reader = source.getReader();
    return {
      read: () => reader.read(),
      cancel: cancelling(reader),
      release: () => reader.releaseLock(),
    };
  }
}

/**
 * A pipe for a body. With a length, the runtime sends `Content-Length` and no chunked framing. In another runtime than
 * workerd, such as a test in Node, there are no such pipes: a plain one then frames the body as that runtime does.
 */
export function pipeFor(length: number | null): ReadableWritablePair<Uint8Array, Uint8Array> {
  if (typeof IdentityTransformStream === "undefined") return new TransformStream<Uint8Array, Uint8Array>();
  return length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
}
