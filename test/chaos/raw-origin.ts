import { createServer, type Socket } from "node:net";
import { onFreePort } from "../../src/tools/ports.ts";

/** What an origin does instead of answering. It writes to the socket, so that no HTTP library corrects it. */
export type Behaviour = (socket: Socket, path: string) => void;

/** An origin that writes exactly the bytes of the test. */
export interface RawOrigin {
  url: string;
  /** What it does from now on; null: it answers correctly. */
  behave(behaviour: Behaviour | null): void;
  /** Requests that arrived. */
  readonly asked: number;
  /** Connections that are open. */
  readonly open: number;
  /** Stops listening. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

/** The correct answer: fresh for a second, then allowed by `stale-if-error` for ten minutes. */
export const wellBody = (path: string) => `well ${path}`;
const well: Behaviour = (socket, path) =>
  void socket.write(
    head(200, {
      "content-type": "text/plain",
      "content-length": String(Buffer.byteLength(wellBody(path))),
      "cache-control": "max-age=1, stale-if-error=600",
    }) + wellBody(path),
  );

export function head(status: number, fields: Record<string, string>): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Whatever\r\n${lines.join("")}\r\n`;
}

export async function startRawOrigin(): Promise<RawOrigin> {
  const sockets = new Set<Socket>();
  let behaviour: Behaviour | null = null;
  let asked = 0;
  let port = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      // Only requests without a body arrive here.
      for (let end = text.indexOf("\r\n\r\n"); end !== -1; end = text.indexOf("\r\n\r\n")) {
        const path = text.split(" ")[1] ?? "/";
        text = text.slice(end + 4);
        asked += 1;
        (behaviour ?? well)(socket, path);
      }
    });
  });
  const listen = async (at: number) => {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", resolve);
    });
    return at;
  };
  const up = async () => {
    if (!server.listening) await listen(port);
  };
  const down = async () => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  port = await onFreePort(listen);
  return {
    url: `http://127.0.0.1:${port}`,
    behave(next) {
      behaviour = next;
    },
    get asked() {
      return asked;
    },
    get open() {
      return sockets.size;
    },
    down,
    up,
    stop: down,
  };
}
