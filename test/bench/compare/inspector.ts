import type { Miniflare } from "miniflare";
import WebSocket from "ws";

/** workerd's inspector of a Worker: the Chrome DevTools protocol. */
export interface Inspector {
  call<Result = unknown>(method: string, params?: object): Promise<Result>;
  close(): void;
}

export async function openInspector(miniflare: Miniflare): Promise<Inspector> {
  const inspector = await miniflare.getInspectorURL();
  const targets = (await (await fetch(`http://${inspector.host}/json`)).json()) as {
    webSocketDebuggerUrl: string;
  }[];
  const url = targets[0]?.webSocketDebuggerUrl;
  if (!url) throw new Error("The runtime has no inspector");
  const socket = new WebSocket(url);
  const waiting = new Map<number, (result: unknown) => void>();
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  socket.on("message", (data) => {
    const text = String(data);
    // Events, of which a heap snapshot has thousands, have no id.
    if (!text.startsWith('{"id":')) return;
    const { id, result } = JSON.parse(text) as { id: number; result?: unknown };
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let calls = 0;
  return {
    call<Result>(method: string, params: object = {}) {
      calls += 1;
      const id = calls;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise<Result>((resolve) => waiting.set(id, resolve as (result: unknown) => void));
    },
    close: () => socket.close(),
  };
}

/** Bytes in use after garbage collection. */
export async function heapOf(miniflare: Miniflare): Promise<number> {
  const inspector = await openInspector(miniflare);
  // A snapshot begins with a collection; workerd never answers `HeapProfiler.collectGarbage`.
  await inspector.call("HeapProfiler.takeHeapSnapshot");
  const usage = await inspector.call<{ usedSize: number; backingStorageSize: number }>(
    "Runtime.getHeapUsage",
  );
  inspector.close();
  return usage.usedSize + usage.backingStorageSize;
}
