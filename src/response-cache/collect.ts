export interface CollectOptions {
  /** When it aborts, nothing more is read. Default never. */
  gone?: AbortSignal | undefined;
  /** Whether there is room for so many bytes. Default always. */
  holds?: (bytes: number) => boolean;
}

/**
 * Reads a body to its end, up to a bound. The body may be one branch of a stream that was split.
 *
 * @param expected `Content-Length`, where it counts these very bytes: a body of another length is not whole.
 * @returns its bytes, or null when it is larger than `maxBytes`, finds no room, broke off, or has another length than was said.
 */
export async function collect(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
  expected: number | null,
  { gone, holds = () => true }: CollectOptions = {},
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  gone?.addEventListener("abort", () => void reader.cancel().catch(() => {}));
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > maxBytes || !holds(size)) {
        // Not awaited: of a tee'd stream it ends only when the other branch does.
        void reader.cancel().catch(() => {});
        return null;
      }
      chunks.push(value);
    }
  } catch {
    return null;
  }
  if (gone?.aborted || (expected !== null && expected !== size)) return null;
  return joined(chunks);
}

/** The chunks in one piece. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [only, ...others] = chunks;
  // As it came, unless it is a part of a larger buffer, which it would keep in memory.
  if (only && others.length === 0 && only.byteLength === only.buffer.byteLength)
    return only as Uint8Array<ArrayBuffer>;
  const bytes = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
