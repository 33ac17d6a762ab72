import { describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { contextOf } from "../../support/context.ts";
import { freshPrefix } from "../../support/limits.ts";
import { printedLines } from "../../support/printed.ts";
import { copyKeys } from "../../support/redis-copies.ts";

/** What docs/operating.md says of a new IDENTITY_SECRET, and of a Redis that has an old copy. */

const ROUTES: RouteInput[] = [
  { path: "/mine", access: "session" },
  {
    path: "/*",
    limits: [{ name: "all", limit: 50, window: "1 d", algorithm: "fixed-window" }],
    cache: { ttl: 600, scope: "shared", tags: ["all"] },
  },
];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const SERVER = bearer("service-token-of-this-test");
const OPERATOR = bearer("admin-token-of-this-test");

printedLines();

/** Isolates of one deployment. Each call of `open` is a new one, which knows what Redis has and nothing else. */
function deployment() {
  const prefix = freshPrefix();
  return {
    prefix,
    open(vars: Record<string, string> = {}) {
      const env = {
        UPSTASH_REDIS_REST_URL: inject("upstashUrl"),
        UPSTASH_REDIS_REST_TOKEN: inject("upstashToken"),
        STORE_DEADLINE_MS: "5000",
        ISOLATE_MAX_AGE_MS: "0",
        SESSION_SECRET: "session-secret-of-this-test-only-0123",
        SERVICE_TOKEN: "service-token-of-this-test",
        ADMIN_TOKEN: "admin-token-of-this-test",
        IDENTITY_SECRET: "identity-secret-of-this-test",
        REDIS_SESSION_PREFIX: `${prefix}:s`,
        REDIS_CACHE_PREFIX: `${prefix}:c`,
        REDIS_RATE_LIMIT_PREFIX: `${prefix}:l`,
        ...vars,
        ORIGIN: { fetch: async () => new Response("ok") },
      };
      const answer = edgeAnswer(openIsolate(env, ROUTES));
      return async (path: string, init: RequestInit = {}) => {
        const works: Promise<unknown>[] = [];
        const headers = { "cf-connecting-ip": "192.0.2.7", ...(init.headers as Record<string, string>) };
        const url = `https://edge.example${path}`;
        const response = await answer(new Request(url, { ...init, headers }), contextOf(works));
        const text = await response.text();
        await Promise.all(works);
        return { status: response.status, headers: response.headers, text };
      };
    },
  };
}
type Ask = ReturnType<ReturnType<typeof deployment>["open"]>;

const cached = async (ask: Ask) => (await ask("/x")).headers.get("x-cache");
const left = async (ask: Ask) => /r=(\d+)/.exec((await ask("/x")).headers.get("ratelimit") ?? "")?.[1];
const purge = (ask: Ask, body: object) =>
  ask("/edge/cache/purge", { method: "POST", headers: OPERATOR, body: JSON.stringify(body) });
const mine = async (ask: Ask, token: string) => (await ask("/mine", { headers: bearer(token) })).status;
async function signIn(ask: Ask, user: string): Promise<string> {
  const init = { method: "POST", headers: SERVER, body: JSON.stringify({ user_id: user }) };
  return JSON.parse((await ask("/auth/sessions", init)).text).token;
}
const NEW = { IDENTITY_SECRET: "another-identity-secret" };

describe("a new IDENTITY_SECRET", () => {
  it("ends no session, and begins limits and stored answers anew", async () => {
    const { open } = deployment();
    const before = open();
    const token = await signIn(before, "ada");
    expect([await cached(before), await cached(before)]).toEqual(["MISS", "HIT"]);
    const after = open(NEW);
    expect(await cached(after)).toBe("MISS");
    expect(await left(after)).toBe("48");
    expect(await mine(after, token)).toBe(200);
    expect(await left(open()), "the old counts are as they were").toBe("47");
  });

  it.each([
    ["files", { files: ["/x"] }, "HIT"],
    ["tags", { tags: ["all"] }, "MISS"],
    ["prefixes", { prefixes: ["edge.example/"] }, "MISS"],
    ["purge_everything", { purge_everything: true }, "MISS"],
  ])("is why a purge of %s by one version is, in a version with the old one", async (_what, body, then) => {
    const { open } = deployment();
    const before = open();
    await cached(before);
    const after = open(NEW);
    await cached(after);
    expect((await purge(after, body)).status).toBe(200);
    expect(await cached(after)).toBe("MISS");
    expect(await cached(before)).toBe(then);
  });
});

describe("a Redis with an old copy, in an isolate that knows nothing else", () => {
  it("has again what was ended and withdrawn since, until everything is ended and purged", async () => {
    const { open, prefix } = deployment();
    const before = open();
    const [ended, kept] = [await signIn(before, "ada"), await signIn(before, "bea")];
    await cached(before);
    await copyKeys(prefix, `${prefix}-copy`);
    const later = await signIn(before, "cem");
    await before("/auth/sessions/current", { method: "DELETE", headers: bearer(ended) });
    await purge(before, { tags: ["all"] });
    const known = open();
    expect([await mine(known, ended), await mine(known, later), await cached(known)]).toEqual([
      401,
      200,
      "MISS",
    ]);
    await copyKeys(`${prefix}-copy`, prefix);
    const restored = open();
    expect([await mine(restored, ended), await mine(restored, kept), await mine(restored, later)]).toEqual([
      200, 200, 401,
    ]);
    expect(await cached(restored)).toBe("HIT");
    const init = { method: "POST", headers: OPERATOR, body: '{"everyone":true}' };
    expect((await restored("/edge/users/sign-out", init)).status).toBe(200);
    await purge(restored, { purge_everything: true });
    const next = open();
    expect([await mine(next, ended), await mine(next, kept), await cached(next)]).toEqual([401, 401, "MISS"]);
  });
});
