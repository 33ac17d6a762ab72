import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** What it answers on a path from now on. */
export interface Saying {
  status?: number;
  headers: Record<string, string>;
  /** Default a text that differs each time. */
  body?: string | Uint8Array;
}

export interface SpeakingOrigin {
  url: string;
  say(path: string, saying: Saying): void;
  /** Requests that arrived for a path, query included. */
  asked(path: string): IncomingMessage[];
  /** It ends every connection without an answer. */
  dropping: boolean;
  /** Delays answers to paths with this prefix until the returned function is called. */
  hold(prefix: string): () => void;
  stop(): Promise<void>;
}

/** An origin with answers that the test sets. It answers a matching `If-None-Match` with 304. */
export async function startSpeakingOrigin(): Promise<SpeakingOrigin> {
  const sayings = new Map<string, Saying>();
  const requests: IncomingMessage[] = [];
  let answers = 0;
  const state = { dropping: false };
  const held = new Map<string, Promise<void>>();
  const server = createServer(async (request, response) => {
    if (state.dropping) return void request.socket.destroy();
    requests.push(request);
    request.resume();
    const { status = 200, headers, body } = sayings.get(request.url ?? "/") ?? { headers: {} };
    for (const [prefix, released] of held) if (request.url?.startsWith(prefix)) await released;
    answers += 1;
    const tag = headers.etag;
    if (tag !== undefined && request.headers["if-none-match"]?.split(", ").includes(tag)) {
      return void response.writeHead(304, headers).end();
    }
    const content = Buffer.from(body ?? `answer ${answers}`);
    response.writeHead(status, { "content-length": content.length, ...headers });
    response.end(request.method === "HEAD" ? undefined : content);
  });
  // Node's default of five seconds would close idle connections while the edge sends on them.
  server.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    say: (path, saying) => void sayings.set(path, saying),
    asked: (path) => requests.filter(({ url }) => url === path),
    hold(prefix) {
      const { promise, resolve } = Promise.withResolvers<void>();
      held.set(prefix, promise);
      return () => {
        held.delete(prefix);
        resolve();
      };
    },
    get dropping() {
      return state.dropping;
    },
    set dropping(dropping) {
      state.dropping = dropping;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
