/**
 * The body of an answer as text. What is too long is not read on: whoever sends it may send it without end, or pack it small.
 *
 * @throws RangeError for more than `maxBytes`.
 */
export async function boundedText({ body }: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new RangeError();
    chunks.push(chunk);
  }
  // Of a Blob alone the runtime gives a byte order mark as text.
  return new Response(new Blob(chunks)).text();
}
