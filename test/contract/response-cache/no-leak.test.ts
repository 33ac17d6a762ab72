import { describe, expect, inject, it } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { freshPrefix } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";

const ROUTES: RouteInput[] = [
  { path: "/public/*", cache: { ttl: 60, staleIfError: 60 } },
  { path: "/shared/*", cache: { scope: "shared", ttl: 60, staleWhileRevalidate: 60 } },
  { path: "/caller/*", cache: { scope: "caller", ttl: 60, staleIfError: 60 } },
];
const USERS = ["", "ada", "bea", "cem"];
const DIRECTIVES = [
  "",
  "max-age=60",
  "public, max-age=60",
  "private, max-age=60",
  "no-store",
  "no-cache",
  "s-maxage=60",
  "must-revalidate, max-age=1",
  "max-age=1, stale-while-revalidate=30, stale-if-error=60",
  'private="x-note", max-age=60',
  "MAX-AGE=60, max-age=1",
  "max-age=oops, public",
];
const VARIES = ["", "", "accept", "authorization", "cookie, x-api-key", "x-user-id", "x-lang", "*"];

/** Ways of saying who one is: some the edge can verify, some only the origin can read. */
const CREDENTIAL_FIELDS: ((user: string) => {
  headers: Record<string, string>;
  query?: string;
  verified: boolean;
})[] = [
  (user) => ({ headers: { "x-api-key": `key-of-${user}-0123456789` }, verified: true }),
  (user) => ({ headers: { authorization: `Bearer key-of-${user}-0123456789` }, verified: true }),
  (user) => ({ headers: {}, query: `api_key=key-of-${user}-0123456789`, verified: true }),
  (user) => ({ headers: { cookie: `sid=${user}` }, verified: false }),
  (user) => ({ headers: { authorization: `Basic ${btoa(`${user}:pw`)}` }, verified: false }),
  (user) => ({ headers: { apikey: user }, verified: false }),
  (user) => ({ headers: { "x-auth-token": user }, verified: false }),
  // One team's key, and the cookie of one of its members.
  (user) => ({
    headers: { "x-api-key": "key-of-team-0123456789", cookie: `sid=${user}` },
    verified: false,
  }),
];

/** Mulberry32: the same choices in every run. */
function randomChoices(seed: number) {
  let state = seed;
  const roll = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return <Item>(items: readonly Item[]): Item => items[Math.floor(roll() * items.length)] as Item;
}

describe.each([
  ["in the isolate", null, 10_000, 1],
  ["with Redis and isolates that come and go", "redis", 1500, 2],
] as const)("requests and answers at random, %s", (_, store, pairs, seed) => {
  it(`${pairs} of them: nobody is given what was answered to somebody else`, {
    timeout: 600_000,
  }, async () => {
    const choose = randomChoices(seed);
    const prefix = freshPrefix();
    let down = false;
    let serial = 0;
    /** What was said with each answer: whom it was for, whether others may have it, and what it depends on. */
    const said = new Map<string, { user: string; directives: string; vary: string; headers: Headers }>();
    const background: Promise<unknown>[] = [];
    /** Calls to Redis under way. */
    const redis = { pending: 0 };
    const platform = testPlatform({
      async fetch(input, init) {
        const url = String(input instanceof Request ? input.url : input);
        if (!url.startsWith("http://origin.example")) {
          redis.pending += 1;
          return fetch(input, init).finally(() => {
            redis.pending -= 1;
          });
        }
        if (down) throw new TypeError("down");
        const sent = new Headers(init?.headers);
        const user = userIn(url, sent);
        serial += 1;
        const directives = choose(DIRECTIVES);
        const headers = new Headers({
          "content-type": "text/plain",
          etag: choose(['"same"', '"other"', "none"]),
        });
        const vary = choose(VARIES);
        if (directives) headers.set("cache-control", directives);
        if (vary) headers.set("vary", vary);
        if (choose([false, false, false, true])) headers.set("set-cookie", `sid=${user || "new"}`);
        const ifNoneMatch = sent.get("if-none-match");
        if (ifNoneMatch?.includes(headers.get("etag") ?? "?") && choose([true, false])) {
          // The origin's word that a stored answer is the one for this request too, whatever it varies by.
          const word = `word ${serial}`;
          said.set(word, { user, directives, vary, headers: sent });
          return new Response(null, {
            status: 304,
            headers: { etag: headers.get("etag") ?? "", "x-word": word },
          });
        }
        const id = `answer ${serial}`;
        said.set(id, { user, directives, vary, headers: sent });
        // Whoever waits, waits to the end of a short body, and not for one that may be long.
        if (choose([true, true, false])) headers.set("content-length", String(id.length));
        return new Response(id, { status: choose([200, 200, 200, 404, 500]), headers });
      },
    });
    const vars = {
      ORIGIN_URL: "http://origin.example",
      LOG_LEVEL: "error",
      IDENTITY_SECRET: "identity-secret-of-this-test-only",
      API_KEYS: [...USERS.slice(1), "team"].map((user) => `key-of-${user}-0123456789:${user}:free`).join(","),
      ...(store && {
        UPSTASH_REDIS_REST_URL: inject("upstashUrl"),
        UPSTASH_REDIS_REST_TOKEN: inject("upstashToken"),
        REDIS_CACHE_PREFIX: prefix,
      }),
    };
    const open = () => edgeAnswer(openIsolate(vars, ROUTES, platform));
    let apps = [open(), open()];
    const context = {
      waitUntil: (work: Promise<unknown>) => void background.push(work),
      passThroughOnException() {},
      props: {},
    } as unknown as ExecutionContext;

    const leaks: string[] = [];
    const outcomes = { hits: 0, ofOthers: 0, collapsed: 0 };
    for (let index = 0; index < pairs; ) {
      if (store && index % 50 === 49) apps = [open(), open()];
      const scope = choose(["public", "shared", "caller"]);
      const path = choose(["a", "b", "c"]);
      const app = choose(apps);
      down = choose([false, false, false, false, true]);
      // One alone, or four at the same moment: then some wait for another's answer.
      const asking = Array.from({ length: choose([1, 1, 1, 4]) }, async () => {
        const user = choose(USERS);
        const carried =
          user === "" ? { headers: {} as Record<string, string> } : choose(CREDENTIAL_FIELDS)(user);
        const query = "query" in carried && carried.query ? `?${carried.query}` : "";
        const headers = new Headers({ ...carried.headers, "x-lang": choose(["de", "en"]) });
        const url = `https://edge.example/${scope}/${path}${query}`;
        const response = await app(new Request(url, { headers }), context);
        return { user, headers, response, body: await response.text() };
      });
      const answers = await moving(platform, redis, Promise.all(asking));
      while (background.length > 0) await moving(platform, redis, background.shift() ?? Promise.resolve());
      platform.advance(choose([0, 10, 900, 3000]));
      index += answers.length;
      for (const answer of answers) check(index, scope, answer);
    }

    function check(index: number, scope: string, { user, headers, response, body }: Given): void {
      const answer = said.get(body);
      const word = response.headers.get("x-cache");
      if (!answer || word === "MISS" || word === "BYPASS") return;
      outcomes.hits += 1;
      if (response.headers.get("cache-status")?.includes("collapsed")) outcomes.collapsed += 1;
      if (response.headers.has("set-cookie")) leaks.push(`${index}: a cookie out of the cache`);
      const depends = answer.vary.split(", ").filter(Boolean);
      const meant = said.get(response.headers.get("x-word") ?? "") ?? answer;
      if (depends.some((name) => name === "*" || headers.get(name) !== meant.headers.get(name)))
        leaks.push(`${index}: ${scope}, an answer that varies by "${answer.vary}" (${word})`);
      if (answer.user === user) return;
      outcomes.ofOthers += 1;
      const shareable = /(^|, )(public|s-maxage=\d+|must-revalidate)(,|$)/i.test(answer.directives);
      const closed = /(^|, )(private|no-store)(,|$)/i.test(answer.directives);
      const allowed = scope === "shared" ? !closed : scope === "public" && shareable && !closed;
      if (!allowed) {
        leaks.push(
          `${index}: ${scope}, "${answer.directives}" for "${answer.user}" given to "${user}" (${word})`,
        );
      }
    }
    expect(leaks, "answers given to somebody they were not for").toEqual([]);
    expect(outcomes.hits, "some were hits").toBeGreaterThan(pairs / 20);
    // With Redis each reads its entry at its own time, and few meet.
    if (!store) expect(outcomes.collapsed, "some waited for each other").toBeGreaterThan(pairs / 500);
    expect(outcomes.ofOthers, "and some were allowed to be shared").toBeGreaterThan(pairs / 200);
  });
});

interface Given {
  user: string;
  headers: Headers;
  response: Response;
  body: string;
}

/** Moves the time until the work is done: not while a slow machine asks Redis. */
async function moving<Result>(
  platform: { advance(ms: number): void },
  redis: { readonly pending: number },
  work: Promise<Result>,
): Promise<Result> {
  let done = false;
  const watched = work.finally(() => {
    done = true;
  });
  for (let turns = 0; !done; turns += 1) {
    // Most need no time at all: only turns of the event loop.
    for (let each = 0; each < 500 && !done; each += 1) await undefined;
    if (done) break;
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (turns > 5 && redis.pending === 0) platform.advance(10);
  }
  return watched;
}

/** Who asked, as the origin reads it: whatever is there. */
function userIn(url: string, headers: Headers): string {
  const key = headers.get("x-api-key") ?? new URL(url).searchParams.get("api_key");
  const bearer = headers.get("authorization") ?? "";
  const cookie = /sid=(\w+)/.exec(headers.get("cookie") ?? "")?.[1];
  if (cookie) return cookie;
  if (bearer.startsWith("Basic ")) return atob(bearer.slice(6)).split(":")[0] ?? "";
  const byKey = /^(?:Bearer )?key-of-(\w+)-/.exec(key ?? bearer)?.[1];
  return byKey ?? headers.get("apikey") ?? headers.get("x-auth-token") ?? "";
}
