import { expect, inject, it } from "vitest";
import { cacheable, gatedEdge } from "../../support/edge/gated-edge.ts";
import { bearing } from "../../support/edge/traffic.ts";
import { freshPrefix } from "../../support/limits.ts";

/* A Redis that has lost keys and goes on: one kind of them evicted, or all flushed. No isolate has noticed anything. */

const SERVICE = "service-token-of-this-test-only-01";
const operator = bearing("admin-token-of-this-test-only-0123");
const server = bearing(SERVICE);
const LIMIT = 5;
const PATHS = ["/plain/x", "/plain/y", "/varied/x", "/long/x"];
const LIVING = ["ada", "carl"];
const ENDED = ["bob", "eve"];
const BODIES = { 1: "old", 2: "new" };

/** Deletes the keys of this test that match. @returns how many there were. */
async function lose(limits: string, kind: RegExp): Promise<number> {
  const owner = async (...command: string[]) => {
    const headers = { authorization: `Bearer ${inject("ownerToken")}` };
    const body = JSON.stringify(command);
    const response = await fetch(inject("ownerUrl"), { method: "POST", headers, body });
    return ((await response.json()) as { result: string[] }).result;
  };
  const mine = (await owner("KEYS", "*")).filter((key) => key.includes(limits) && kind.test(key));
  if (mine.length > 0) await owner("DEL", ...mine);
  return mine.length;
}

function opened() {
  const prefix = freshPrefix();
  const state: { version: keyof typeof BODIES } = { version: 1 };
  const cache = { ttl: 6000, scope: "shared" as const, tags: ["all"] };
  const limits = (["fixed-window", "sliding-window"] as const).map((algorithm) => ({
    ...{ name: algorithm, algorithm, limit: LIMIT, window: "1 d" as const },
  }));
  const edge = gatedEdge({
    routes: [
      ...["/plain/*", "/varied/*", "/long/*"].map((path) => ({ path, cache })),
      { path: "/me", access: "session" },
      ...limits.map((limit) => ({ path: `/${limit.name}`, limits: [limit] })),
    ],
    env: {
      SERVICE_TOKEN: SERVICE,
      SESSION_SECRET: "session-secret-of-this-test-only-0123",
      LOG_LEVEL: "error",
      REDIS_RATE_LIMIT_PREFIX: `{${prefix}r}`,
      REDIS_SESSION_PREFIX: `{${prefix}s}`,
      REDIS_CACHE_PREFIX: `{${prefix}c}`,
    },
    answer({ path }) {
      const text = BODIES[state.version];
      if (path.startsWith("/long/")) return cacheable(text.padEnd(200_000), { "content-type": "font/woff2" });
      return cacheable(text, {
        "cache-control": "max-age=6000",
        ...(path[1] === "v" && { vary: "accept-language" }),
      });
    },
  });
  const cached = async (isolate: number) =>
    Promise.all(PATHS.map(async (path) => (await edge.ask(path, { isolate })).text.trim()));
  const purge = () =>
    edge.ask("/edge/cache/purge", { method: "POST", headers: operator, body: '{"tags":["all"]}' });
  const signIn = async (user: string) => {
    const init = { method: "POST", headers: server, body: JSON.stringify({ user_id: user }) };
    return bearing((JSON.parse((await edge.ask("/auth/sessions", init)).text) as { token: string }).token);
  };
  return { ...edge, prefix, state, cached, purge, signIn };
}

const NOT_A_KIND = /^$/;
it.each<[what: string, kind: RegExp, known?: { absent?: true; unpurged?: true; anew?: true }]>([
  ["nothing", NOT_A_KIND],
  ["records of sessions", /s\}:[\w-]{27}$/, { absent: true }],
  ["indexes of sessions", /s\}:index:/],
  ["tombstones", /s\}:tombstone:/],
  ["marks of users", /s\}:mark:/],
  ["the log of purges", /c\}:purges$/, { unpurged: true }],
  ["the set of changes", /c\}:changes$/],
  ["times of invalidations", /c\}:s:/],
  ["entries without their bodies and variants", /c\}:r:/],
  ["variants", /c\}:h:/],
  ["long bodies", /c\}:d:/],
  ["counters", /r\}:w:/, { anew: true }],
  ["all", /\}:/, { absent: true, unpurged: true, anew: true }],
])("a Redis that has lost %s", async (_, kind, { absent, unpurged, anew } = {}) => {
  const edge = opened();
  const { ask, platform, state, cached } = edge;
  const tokens = new Map<string, Record<string, string>>();
  for (const user of [...LIVING, ...ENDED]) tokens.set(user, await edge.signIn(user));
  const live = async (user: string, isolate: number) =>
    (await ask("/me", { headers: tokens.get(user) ?? {}, isolate })).status;
  for (const isolate of [0, 2]) {
    for (const user of tokens.keys()) expect(await live(user, isolate)).toBe(200);
    for (let n = 0; n < 2; n += 1) expect(new Set(await cached(isolate))).toEqual(new Set(["old"]));
  }
  const limited = ["/fixed-window", "/sliding-window"];
  for (const path of limited) for (let n = 1; n < LIMIT; n += 1) await ask(path);
  // The first isolate ends and purges, with Redis' word for it. Nobody else has looked when the keys are lost.
  platform.advance(50);
  state.version = 2;
  const listed = (await ask("/auth/sessions", { headers: tokens.get("bob") ?? {} })).text;
  const [{ session_id }] = (JSON.parse(listed) as { sessions: [{ session_id: string }] }).sessions;
  for (const path of [`redis/${session_id}`, "users/eve"])
    expect((await ask(`/auth/sessions/${path}`, { method: "DELETE", headers: server })).status).toBe(200);
  await ask("/plain/y", { method: "POST" });
  expect((await edge.purge()).status).toBe(200);
  platform.advance(50);
  if (kind !== NOT_A_KIND) expect(await lose(edge.prefix, kind)).toBeGreaterThan(0);

  const look = async () => {
    for (const isolate of [0, 1, 2]) {
      for (const user of LIVING) expect(await live(user, isolate)).toBe(absent ? 401 : 200);
      for (const user of ENDED) expect([user, await live(user, isolate)]).toEqual([user, 401]);
    }
    for (const isolate of [0, 1]) expect(new Set(await cached(isolate))).toEqual(new Set(["new"]));
  };
  await look();
  await cached(2);
  platform.advance(6000);
  await look();
  const last = await cached(2);
  expect(last.includes("old"), "an isolate that had not looked").toBe(unpurged ?? false);
  // The isolate that has purged looks whether its purge stands there still.
  const asked = edge.calls.length;
  for (let n = 0; n < 4; n += 1) {
    platform.advance(6000);
    for (const isolate of [0, 2]) await cached(isolate);
  }
  expect(new Set(await cached(2))).toEqual(new Set(["new"]));
  if (!unpurged) expect(edge.calls.length, "nothing else is purged for it").toBe(asked);
  for (const path of limited) {
    let passed = LIMIT - 1;
    for (let n = 0; n < 2 * LIMIT; n += 1)
      passed += (await ask(path, { isolate: n % 2 })).status === 200 ? 1 : 0;
    expect([path, passed]).toEqual([path, anew ? 2 * LIMIT - 1 : LIMIT]);
  }

  // What is asked for again holds everywhere.
  await edge.purge();
  tokens.set("dora", await edge.signIn("dora"));
  platform.advance(6000);
  for (const isolate of [0, 1, 2]) {
    expect(new Set(await cached(isolate))).toEqual(new Set(["new"]));
    expect(await live("dora", isolate)).toBe(200);
  }
});
