import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { buildWorker } from "../support/edge/build.ts";

const ROUTES = [
  { path: "/auth/logout", methods: ["POST"], session: "end" },
  { path: "/things/:id", methods: ["POST"], invalidates: { tags: ["thing-{id}"] } },
  { path: "/*", cache: { ttl: 600, scope: "shared" } },
];
/** What nobody does any more never comes. */
const PATIENTLY = { timeout: 20_000 };
const SERVICE_TOKEN = "a-service-token-of-this-test-alone-4711";

/**
 * A client of the edge, in a Worker: where it goes away, the edge's invocation is ended at once, as Cloudflare does it. On a connection of
 * its own, workerd notices nothing before it writes (workerd #5062).
 */
const CLIENT = `export default {
  async fetch(request, env) {
    const headers = new Headers(request.headers);
    const edge = env[headers.get("x-edge") ?? "EDGE"];
    const leaveWhen = headers.get("x-leave-when");
    for (const name of ["x-edge", "x-leave-when"]) headers.delete(name);
    headers.set("cf-connecting-ip", "203.0.113.1");
    if (!leaveWhen) return edge.fetch(new Request(request, { headers }));
    const gone = new AbortController();
    const asking = edge.fetch(new Request(request, { headers, signal: gone.signal }));
    const left = asking.then(() => false, () => true);
    await (await fetch(leaveWhen)).text();
    gone.abort();
    return Response.json(await left);
  },
};`;

describe("a client that goes away before it has its answer", () => {
  let upstash: UpstashLocal;
  let runtime: Miniflare;
  let url = "";
  let originUrl = "";
  /** What the origin does with what it is asked from now on. */
  let answer = (response: ServerResponse) => void response.end("answer");
  /** Settles once the origin has the request that it is to hold. */
  let holds = Promise.withResolvers<ServerResponse>();
  const asked: string[] = [];
  const origin = createServer((request, response) => {
    if (request.url === "/tell-me-when") return void holds.promise.then(() => response.end());
    request.resume();
    asked.push(`${request.method} ${request.url}`);
    response.setHeader("cache-tag", "thing-7").setHeader("content-length", 6);
    answer(response);
  });

  beforeAll(async () => {
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    upstash = await startUpstashLocal({ redis: process.env.REQUIRE_REDIS ? "required" : "auto" });
    const contents = await readFile(await buildWorker(), "utf8");
    const edge = (name: string) => ({
      name,
      modules: [{ type: "ESModule" as const, path: "worker.js", contents }],
      compatibilityDate: "2026-04-24",
      compatibilityFlags: ["nodejs_compat", "no_nodejs_global_timers"],
      bindings: {
        ROUTES: ROUTES as unknown as string,
        ORIGIN_URL: originUrl,
        UPSTASH_REDIS_REST_URL: upstash.url,
        UPSTASH_REDIS_REST_TOKEN: upstash.token,
        SESSION_SECRET: "a-session-secret-of-this-test-alone-0123456789",
        SERVICE_TOKEN,
        STORE_DEADLINE_MS: 10_000,
        ISOLATE_MAX_AGE_MS: 0,
      },
    });
    runtime = new Miniflare({
      host: "127.0.0.1",
      port: 0,
      handleStructuredLogs() {},
      workers: [
        {
          name: "client",
          modules: [{ type: "ESModule", path: "client.js", contents: CLIENT }],
          compatibilityDate: "2026-04-24",
          serviceBindings: { EDGE: "edge", OTHER: "other" },
        },
        edge("edge"),
        edge("other"),
      ],
    });
    url = String(await runtime.ready).replace(/\/$/, "");
  });
  afterAll(async () => {
    await runtime?.dispose();
    await upstash?.stop();
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
  });

  const ask = (path: string, init: RequestInit = {}) => fetch(url + path, { redirect: "manual", ...init });
  const word = async (path: string, edge = "EDGE") => {
    const response = await ask(path, { headers: { "x-edge": edge } });
    await response.text();
    return response.headers.get("x-cache");
  };

  /**
   * Sends a request and leaves once the origin has it.
   *
   * @param begun What the origin has sent of its answer's body by then. Default not even its fields.
   * @returns what has the origin send the rest.
   */
  async function leave(path: string, init: RequestInit, begun?: string): Promise<() => void> {
    holds = Promise.withResolvers<ServerResponse>();
    const before = answer;
    answer = (response) => {
      if (begun !== undefined) response.write(begun);
      holds.resolve(response);
    };
    const headers = {
      ...(init.headers as Record<string, string>),
      "x-leave-when": `${originUrl}/tell-me-when`,
    };
    const response = await ask(path, { ...init, headers });
    expect(await response.json(), "it has left").toBe(true);
    answer = before;
    const rest = "answer".slice(begun?.length ?? 0);
    const answering = await holds.promise;
    return () => void answering.end(rest);
  }

  it.each<[what: string, method: string, written: string, read: string]>([
    ["PUT", "PUT", "/a", "/a"],
    ["POST", "POST", "/b", "/b"],
    ["DELETE", "DELETE", "/c", "/c"],
    ["PATCH", "PATCH", "/d", "/d"],
    ["POST to a route that names what it makes invalid", "POST", "/things/7", "/list"],
  ])(
    "what it has asked for may be done, so that stored answers are invalid: %s",
    async (_, method, written, read) => {
      for (const edge of ["EDGE", "OTHER"]) await expect.poll(() => word(read, edge)).toBe("HIT");
      const end = await leave(written, { method });
      end();
      await expect.poll(() => word(read), PATIENTLY).toBe("MISS");
      for (const edge of ["EDGE", "OTHER"]) await expect.poll(() => word(read, edge)).toBe("HIT");
      const again = await leave(written, { method });
      again();
      await expect.poll(() => word(read, "OTHER"), PATIENTLY).toBe("MISS");
    },
  );

  it("a sign-out ends the session", async () => {
    const started = await ask("/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${SERVICE_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: "ada" }),
    });
    const { token } = (await started.json()) as { token: string };
    const session = { authorization: `Bearer ${token}` };
    const status = async (edge: string) =>
      (await ask("/auth/sessions", { headers: { ...session, "x-edge": edge } })).status;
    expect(await status("EDGE")).toBe(200);
    const end = await leave("/auth/logout", { method: "POST", headers: session });
    end();
    for (const edge of ["EDGE", "OTHER"]) await expect.poll(() => status(edge), PATIENTLY).toBe(401);
  });

  it.each<[what: string, path: string, begun: string | undefined]>([
    ["before its fields", "/for-others/1", undefined],
    ["in a short body", "/for-others/2", "ans"],
  ])("others are given what it has asked for: it leaves %s", async (_, path, begun) => {
    const end = await leave(path, { method: "GET" }, begun);
    const before = asked.length;
    const others = [ask(path), ask(path)];
    end();
    const texts = await Promise.all(others.map(async (other) => (await other).text()));
    expect(texts).toEqual(["answer", "answer"]);
    expect(asked.slice(before), "nobody else asks").toEqual([]);
  });
});
