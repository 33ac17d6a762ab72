/**
 * The body of an answer as text. What is too long is not read on: whoever sends it may send it without end, or pack it small.
 *
 * @throws RangeError for more than `maxBytes`.
 */
export async function boundedText({ body }: Response, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  const reader = body?.getReader();
  let text = "";
  let bytes = 0;
  for (;;) {
    const chunk = await reader?.read();
    if (!chunk || chunk.done) return text + decoder.decode();
    bytes += chunk.value.length;
    if (bytes > maxBytes) {
      await reader?.cancel();
      throw new RangeError();
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}
