import { type IncomingMessage, request, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { serve, type TestServer } from "../support/servers.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const TEXT = Buffer.from("the content of an answer, ".repeat(400));
/** Long enough for an origin on a busy machine, and short enough for an upload to take longer. */
const DEADLINE_MS = 3000;
const LARGE = Buffer.alloc(3_000_000, "0123456789abcdef");

/** An upload in pieces over TCP, with pauses in ms. @returns the answer up to `last`. */
function upload(
  url: string,
  head: string,
  pieces: readonly (Buffer | number)[],
  last: string,
): Promise<string> {
  const { port, host } = new URL(url);
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), "127.0.0.1", async () => {
      socket.write(`${head} HTTP/1.1\r\nHost: ${host}\r\n`);
      for (const piece of pieces) {
        if (typeof piece === "number") await new Promise((go) => setTimeout(go, piece));
        else if (!socket.destroyed) socket.write(piece);
      }
    });
    socket.on("data", (data) => {
      answer += data.toString();
      if (!answer.includes(last)) return;
      resolve(answer);
      socket.destroy();
    });
    socket.on("error", () => resolve(answer));
  });
}

describe("bodies on their way", () => {
  const handlers = new Map<string, Handler>();
  let server: TestServer;
  let edge: Edge;
  beforeAll(async () => {
    server = await serve((request, response) => {
      const [path = ""] = (request.url ?? "").split("?");
      handlers.get(path)?.(request, response);
    });
    edge = await startEdge({
      vars: {
        ORIGIN_URL: server.url,
        ORIGIN_DEADLINE_MS: DEADLINE_MS,
        ROUTES: [{ path: "/*" }],
      },
    });
  });
  afterAll(async () => {
    await edge.stop();
    await server.stop();
  });

  /** An origin that says what it was sent. */
  function echoes(path: string): void {
    handlers.set(path, (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const { "content-length": length, "transfer-encoding": framing } = request.headers;
        const hex = Buffer.concat(parts).toString("hex");
        response.end(JSON.stringify({ length, framing, bytes: hex.length / 2, hex: hex.slice(0, 200_000) }));
      });
    });
  }

  it.each<[what: string, body: Buffer, headers: Record<string, string>]>([
    ["a small text", Buffer.from("hello"), {}],
    ["a gzipped one", gzipSync(TEXT), { "content-encoding": "gzip" }],
    ["one in brotli", brotliCompressSync(TEXT), { "content-encoding": "br" }],
    ["all byte values", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), {}],
    ["3 MB", LARGE, {}],
  ])("an upload of %s reaches the origin with its length, byte for byte", async (_what, body, headers) => {
    echoes("/up");
    const response = await edge.fetch("/up", { method: "POST", body: new Uint8Array(body), headers });
    const seen = (await response.json()) as { length: string; framing?: string; bytes: number; hex: string };
    expect([seen.length, seen.framing, seen.bytes]).toEqual([String(body.length), undefined, body.length]);
    expect(seen.hex).toBe(body.toString("hex").slice(0, 200_000));
  });

  it("an upload of unknown length stays one, and may take longer than the deadline", async () => {
    echoes("/chunked");
    const pieces = [0, 1, 2, 3].flatMap(() => [Buffer.from("5\r\nhello\r\n"), DEADLINE_MS / 3]);
    const head = Buffer.from("Transfer-Encoding: chunked\r\n\r\n");
    const answer = await upload(edge.url, "POST /chunked", [head, ...pieces, Buffer.from("0\r\n\r\n")], "}");
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('"framing":"chunked","bytes":20');
  });

  it("an origin that answers before it has the content is heard at once", async () => {
    handlers.set("/early", (_request, response) => {
      response.writeHead(413, { "content-type": "text/plain", connection: "close" });
      response.end("too much");
    });
    const head = Buffer.from("Content-Length: 1000\r\n\r\nstart");
    // The rest never comes: whoever waited for it would say so.
    const answer = await upload(edge.url, "PUT /early", [head], "too much");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain("too much");
  });

  it.each(["", "half of"])("an answer of which %j has come is not waited for to its end", async (before) => {
    const go = Promise.withResolvers<void>();
    handlers.set("/slow", async (_request, response) => {
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": 11 });
      response.flushHeaders();
      response.write(before);
      await go.promise;
      response.end("half of it.".slice(before.length));
    });
    // The rest comes after the client has seen the fields, or never.
    const answer = await edge.fetch("/slow");
    expect([answer.status, answer.headers.get("content-length")]).toEqual([200, "11"]);
    go.resolve();
    expect(await answer.text()).toBe("half of it.");
  });

  it.each<[what: string, coding: string | null, bytes: Buffer]>([
    ["plain", null, TEXT],
    ["gzipped", "gzip", gzipSync(TEXT)],
    ["in brotli", "br", brotliCompressSync(TEXT)],
    ["large", null, LARGE],
    ["in a coding that nobody knows", "x-own", Buffer.from("own")],
  ])("an answer that is %s comes as the origin sent it", async (_what, coding, bytes) => {
    handlers.set("/down", (_request, response) => {
      const headers = { "content-length": bytes.length, ...(coding && { "content-encoding": coding }) };
      // Miniflare's own front compresses text.
      response.writeHead(200, { "content-type": "application/octet-stream", etag: '"strong"', ...headers });
      response.end(bytes);
    });
    const got = await new Promise<{ length?: string; bytes: Buffer }>((resolve, reject) => {
      const headers = { "accept-encoding": "gzip, br" };
      const asking = request(`${edge.url}/down`, { headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        const { "content-length": length } = response.headers;
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () => resolve({ ...(length && { length }), bytes: Buffer.concat(parts) }));
      });
      asking.on("error", reject);
      asking.end();
    });
    expect(got.length).toBe(String(bytes.length));
    expect(got.bytes.equals(bytes)).toBe(true);
  });

  it.each(["application/octet-stream", "text/event-stream"])(
    "the origin's stream of %s ends when its reader has gone",
    async (type) => {
      const closed = Promise.withResolvers<void>();
      handlers.set("/endless", (_request, response) => {
        response.writeHead(200, { "content-type": type });
        const writing = setInterval(() => response.write("data: 1\n\n"), 50);
        response.on("close", () => {
          clearInterval(writing);
          closed.resolve();
        });
      });
      const leaving = new AbortController();
      const response = await edge.fetch("/endless", { signal: leaving.signal });
      await response.body?.getReader().read();
      leaving.abort();
      await closed.promise;
    },
  );

  it("an address or a cookie that need not change keeps its bytes, UTF-8 or not", async () => {
    const fields = {
      location: "/caf\u00e9",
      link: "</caf\u00e9>; rel=next",
      "content-location": "/\u00fc",
      refresh: "3; url=/\u00fc",
      "set-cookie": ["name=Jos\u00e9; Path=/", "plain=1"],
      "content-disposition": 'attachment; filename="\u00e9.txt"',
    };
    handlers.set("/latin1", (_request, response) => {
      response.writeHead(302, fields);
      response.end();
    });
    const got = await new Promise<IncomingMessage["headers"]>((resolve, reject) => {
      const asking = request(`${edge.url}/latin1`, { agent: false }, (response) => resolve(response.headers));
      asking.on("error", reject);
      asking.end();
    });
    expect(got).toMatchObject(fields);
  });
});
