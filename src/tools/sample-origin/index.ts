import { randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { echo, endpoints, type SampleState, statusOf } from "./endpoints.ts";
import { type Exchange, json } from "./reply.ts";

/** A small emissions API, for the tour and the tests. Never part of the Worker. */
export interface SampleOriginOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Users who may sign in. Default `ada`, with a password made for this run. */
  users?: Record<string, string>;
  /** API keys it knows. Default one made for this run. */
  keys?: Record<string, { user_id: string; tier: string }>;
  /** Runs before the API, for tests of an origin that misbehaves. Returns true when it has answered. */
  intercept?(request: IncomingMessage, response: ServerResponse): boolean | Promise<boolean>;
}

export interface SeenRequest {
  method: string;
  path: string;
  search: string;
  headers: IncomingHttpHeaders;
}

export interface SampleOrigin {
  url: string;
  users: Record<string, string>;
  keys: Record<string, { user_id: string; tier: string }>;
  /** The requests that arrived, oldest first. */
  requests: SeenRequest[];
  stop(): Promise<void>;
}

const MAX_REQUESTS = 10_000;

export async function startSampleOrigin(options: SampleOriginOptions = {}): Promise<SampleOrigin> {
  const users = options.users ?? { ada: randomBytes(9).toString("base64url") };
  const keys = options.keys ?? {
    [`demo_${randomBytes(12).toString("base64url")}`]: { user_id: "key_user", tier: "premium" },
  };
  const state: SampleState = {
    hits: new Map(),
    users: new Map(Object.entries(users)),
    keys: new Map(Object.entries(keys)),
  };
  const requests: SeenRequest[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(`http://origin${request.url?.startsWith("/") ? request.url : "/"}`);
    const exchange: Exchange = { request, response, url };
    requests.push({
      method: request.method ?? "",
      path: url.pathname,
      search: url.search,
      headers: request.headers,
    });
    if (requests.length > MAX_REQUESTS) requests.shift();
    state.hits.set(url.pathname, (state.hits.get(url.pathname) ?? 0) + 1);
    if (await options.intercept?.(request, response)) return;
    const method = request.method === "HEAD" ? "GET" : request.method;
    const endpoint = endpoints[`${method} ${url.pathname}`];
    const status = statusOf(url.pathname);
    if (endpoint) await endpoint(exchange, state);
    else if (url.pathname.startsWith("/v1/echo")) await echo(exchange);
    else if (status !== null) json(exchange, status, { status });
    else json(exchange, 404, { error: "Not found" });
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  // Node's default of five seconds would close idle connections while the edge sends on them.
  server.keepAliveTimeout = 300_000;
  const sockets = new WebSocketServer({ server, path: "/ws" });
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    users,
    keys,
    requests,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
