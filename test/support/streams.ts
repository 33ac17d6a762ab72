/** A body that the test sends piece by piece. */
export interface ScriptedBody {
  body: ReadableStream<Uint8Array>;
  send(text: string): void;
  end(): void;
  breakOff(): void;
  /** Whether its reader has given up. */
  readonly cancelled: boolean;
}

export function scriptedBody(): ScriptedBody {
  let cancelled = false;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => {
      controller = given;
    },
    cancel: () => {
      cancelled = true;
    },
  });
  return {
    body,
    send: (text) => controller?.enqueue(new TextEncoder().encode(text)),
    end: () => controller?.close(),
    breakOff: () => controller?.error(new Error("broken off")),
    get cancelled() {
      return cancelled;
    },
  };
}

/** Lets everything that is ready run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** The text of a stream, and whether it ended in order. */
export async function readAll(
  stream: ReadableStream<Uint8Array> | null,
): Promise<{ text: string; whole: boolean }> {
  const reader = (stream ?? new Response("").body)?.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true };
      if (done) return { text, whole: true };
      text += decoder.decode(value, { stream: true });
    }
  } catch {
    return { text, whole: false };
  }
}
