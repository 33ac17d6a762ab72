import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A request at the origin, with the identity that the edge sent along. */
export interface Arrival {
  method: string;
  url: string;
  user: string | null;
  /** Also set for a verified key without a user. */
  tier: string | null;
  /** The client's address, as the edge saw it; empty: none. */
  address: string;
}

/** An API whose answers depend only on the request, so that a wrong body can be recognised. */
export interface EchoOrigin {
  url: string;
  /** How often a request with this `X-Chaos-Id` arrived. */
  arrivals(id: string): number;
  /** The requests that arrived, while `keepSeen` is on. */
  readonly seen: Arrival[];
  stop(): Promise<void>;
}

/** Bytes: the longest path that the edge lets through, at three bytes for each character. */
const MAX_HEADER_BYTES = 128 * 1024;

/** What the origin answers: a pure function of what it is asked. */
export function answerTo(asked: {
  method: string;
  url: string;
  key?: string;
  user?: string;
  body?: string;
}): string {
  return [asked.method, asked.url, asked.key ?? "", asked.user ?? "", asked.body ?? ""].join("|");
}

export async function startEchoOrigin({ keepSeen = false } = {}): Promise<EchoOrigin> {
  const arrivals = new Map<string, number>();
  const seen: EchoOrigin["seen"] = [];
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, async (request, response) => {
    const { headers, method = "", url = "" } = request;
    const one = (name: string) => (typeof headers[name] === "string" ? headers[name] : undefined);
    const id = one("x-chaos-id");
    if (id !== undefined) arrivals.set(id, (arrivals.get(id) ?? 0) + 1);
    if (keepSeen)
      seen.push({
        method,
        url,
        user: one("x-user-id") ?? null,
        tier: one("x-user-tier") ?? null,
        address: one("x-forwarded-for") ?? "",
      });
    let body = "";
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString("utf8");
    } catch {
      return;
    }
    const key = one("x-api-key");
    const user = one("x-user-id");
    const text = answerTo({ method, url, body, ...(key && { key }), ...(user && { user }) });
    const cacheable = url.startsWith("/cached/") || url.startsWith("/mine/");
    response.writeHead(200, {
      "content-type": "text/plain",
      "cache-control": cacheable ? "max-age=600" : "no-store",
      ...(cacheable && { etag: `"${text.length}-${url.length}"` }),
    });
    response.end(method === "HEAD" ? undefined : text);
  });
  // As the proxy: a busy machine would see Node close a connection just as the Worker sends on it.
  server.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals: (id) => arrivals.get(id) ?? 0,
    seen,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
