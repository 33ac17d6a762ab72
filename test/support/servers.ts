import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer, type Socket } from "node:net";
import { Miniflare } from "miniflare";

/** A server on a free loopback port. */
export interface TestServer {
  url: string;
  stop(): Promise<void>;
}

export async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const server = createServer(answer);
  // Node's default of five seconds would close idle connections while the edge sends on them.
  server.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An address at which nothing listens. */
export async function nobody(): Promise<string> {
  const server = await serve(() => {});
  await server.stop();
  return server.url;
}

/** A server that says one thing to everybody. */
export function saying(
  status: number,
  body: string,
  headers: Record<string, string> = { "content-type": "application/json" },
): Promise<TestServer> {
  return serve((_request, response) => response.writeHead(status, headers).end(body));
}

/** Accepts connections; what it does with one is up to `greet`. By default nothing: it is silent. */
export async function serveSockets(greet: (socket: Socket) => void = () => {}): Promise<TestServer> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An https server with a certificate that nobody signed. */
export async function serveUntrusted(): Promise<TestServer> {
  const miniflare = new Miniflare({
    https: true,
    host: "127.0.0.1",
    port: 0,
    modules: [
      {
        type: "ESModule",
        path: "worker.js",
        contents: "export default { fetch: () => new Response('[]') }",
      },
    ],
    compatibilityDate: "2026-04-24",
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  return { url, stop: () => miniflare.dispose() };
}
