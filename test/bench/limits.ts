/**
 * What the limits admit, and what they cost: `npm run bench -- limits`.
 *
 * Adversarial traffic, the same in every run, against an exact reference limiter, over 1, 4 and 32 isolates that share a
 * real Redis; then the commands that Upstash would bill, by the change of Redis's own `INFO commandstats`, which counts
 * those inside scripts too. Time is simulated: nothing sleeps, nothing depends on how fast this machine is.
 */
import { writeFile } from "node:fs/promises";
import { type Route, type RouteInput, unmatchedRoute } from "../../src/config/route.ts";
import { loadConfig } from "../../src/edge/load-config.ts";
import { createEvents } from "../../src/events/events.ts";
import { confirmedIdentity } from "../../src/identity/confirmed.ts";
import { createLimiter } from "../../src/ratelimit/limiter.ts";
import { type Platform, workerPlatform } from "../../src/runtime/platform.ts";
import { createKeys } from "../../src/store/keys.ts";
import { Store } from "../../src/store/store.ts";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { commandsRun } from "./commands-run.ts";

type Limit = NonNullable<RouteInput["limits"]>[number];

const START = Date.UTC(2026, 0, 15, 12, 0, 0);
let now = START;
// @upstash/ratelimit reads Date.now() itself.
Date.now = () => now;
const platform: Platform = { ...workerPlatform, now: () => now, timer: () => () => {} };

const upstash = await startUpstashLocal({ redis: "auto" });
const lines: string[] = [];
const failures: string[] = [];
const say = (line = "") => lines.push(line);
const check = (right: boolean, what: string) => {
  if (!right) failures.push(what);
};

let prefixes = 0;
function openIsolates(count: number) {
  prefixes += 1;
  const prefix = `bench${prefixes}`;
  const keys = createKeys({ cache: prefix, rateLimit: prefix, session: prefix });
  return Array.from({ length: count }, () => {
    const events = createEvents({ platform, level: "error" });
    const store = new Store({ connection: { url: upstash.url, token: upstash.token }, platform, events });
    const limiter = createLimiter({
      store,
      keys,
      platform,
      events,
      identifier: { hash: async () => "0".repeat(32), sessionUser: async () => ["0".repeat(32)] },
    });
    return async (route: Route): Promise<boolean> => {
      const batch = store.batch();
      const identity = confirmed();
      const decide = await limiter.prepare(
        { route, requestId: "bench" },
        { kind: "settled", identity },
        batch,
      );
      await batch.send();
      const verdict = await decide(identity);
      if (verdict.source === "memory")
        throw new Error("The store was lost during the bench", { cause: batch.error });
      return verdict.kind === "allowed";
    };
  });
}

function confirmed() {
  const identity = { kind: "address", hash: "a".repeat(32) } as const;
  return confirmedIdentity({
    address: "192.0.2.1",
    addressIdentity: identity,
    credentials: { sessionToken: null, jwt: null, apiKey: null, sessionCookie: false, any: false },
    session: null,
    key: { kind: "absent" },
    jwt: { kind: "absent" },
    user: null,
    tier: null,
    identity,
  });
}

function routeOf(...limits: Limit[]): Route {
  return loadConfig({}, [{ path: "/", limits }]).routes[0] ?? unmatchedRoute;
}

function seeded(seed: number) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The exact limiter: a list of times. It shares no code with the measured limiters. */
class Reference {
  readonly #moments: number[] = [];
  readonly #limit: number;
  readonly #windowMs: number;

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  admits(at: number): boolean {
    while ((this.#moments[0] ?? at) <= at - this.#windowMs) this.#moments.shift();
    if (this.#moments.length >= this.#limit) return false;
    this.#moments.push(at);
    return true;
  }
}

/** Most admissions in any trailing window. */
function peak(moments: readonly number[], windowMs: number): number {
  let most = 0;
  let from = 0;
  moments.forEach((at, index) => {
    while ((moments[from] ?? at) <= at - windowMs) from += 1;
    most = Math.max(most, index - from + 1);
  });
  return most;
}

const LIMIT = 20;
const WINDOW_MS = 10_000;

/** Times of requests, ms from the start: each an attempt to get more than the limit. */
const attacks: Record<string, () => number[]> = {
  "bursts around each window's edge": () =>
    Array.from({ length: 5 }, (_, edge) =>
      [-3, -2, -1, 0, 1, 2].flatMap((offset) => Array<number>(12).fill((edge + 1) * WINDOW_MS + offset)),
    ).flat(),
  "one burst late in a window, then a trickle": () => [
    ...Array<number>(40).fill(9_900),
    ...Array.from({ length: 220 }, (_, each) => 10_000 + each * 100),
  ],
  "a flood at random": () => {
    const random = seeded(11);
    return Array.from({ length: 400 }, () => Math.floor(random() * 50_000)).sort((a, b) => a - b);
  },
};

const algorithms: Limit[] = [
  { name: "w", limit: LIMIT, window: "10 s", algorithm: "sliding-log" },
  { name: "w", limit: LIMIT, window: "10 s" },
  { name: "w", limit: LIMIT, window: "10 s", algorithm: "fixed-window" },
  { name: "w", capacity: LIMIT, refill: LIMIT, window: "10 s", algorithm: "token-bucket" },
];

say("# What the limits admit and cost");
say();
say(
  "Made by `npm run bench -- limits`: simulated time, seeded traffic, a real Redis behind the local endpoint.",
);
say();
say("## Admitted in any trailing window, as a multiple of the limit");
say();
say(
  `Limit ${LIMIT} in ${WINDOW_MS / 1000} s, the worst of three attacks (${Object.keys(attacks).join("; ")}).`,
);
say();
say("| algorithm | 1 isolate | 4 isolates | 32 isolates | differs from the exact reference |");
say("|---|---|---|---|---|");
for (const limit of algorithms) {
  const name = limit.algorithm ?? "sliding-window";
  const worst: string[] = [];
  let differing = 0;
  let total = 0;
  for (const count of [1, 4, 32]) {
    let multiple = 0;
    for (const moments of Object.values(attacks)) {
      const isolates = openIsolates(count);
      const reference = new Reference(LIMIT, WINDOW_MS);
      const random = seeded(count);
      const admitted: number[] = [];
      for (const moment of moments()) {
        now = START + moment;
        const allowed = (await isolates[Math.floor(random() * count)]?.(routeOf(limit))) ?? false;
        if (allowed) admitted.push(moment);
        if (allowed !== reference.admits(now)) differing += 1;
        total += 1;
      }
      multiple = Math.max(multiple, peak(admitted, WINDOW_MS) / LIMIT);
    }
    worst.push(multiple.toFixed(2));
    check(multiple <= (name === "sliding-log" ? 1 : 2), `${name} admitted ${multiple} × its limit`);
  }
  if (name === "sliding-log") check(differing === 0, "the exact log differs from the reference");
  say(`| ${name} | ${worst.join(" | ")} | ${differing} of ${total} |`);
}

say();
say("## At one moment");
say();
now = START + 1_000_000;
{
  const isolates = openIsolates(4);
  const route = routeOf({ name: "w", limit: 50, window: "1 m", algorithm: "sliding-log" });
  const verdicts = await Promise.all(Array.from({ length: 200 }, (_, each) => isolates[each % 4]?.(route)));
  const admitted = verdicts.filter(Boolean).length;
  check(admitted === 50, `200 parallel requests at limit 50 admitted ${admitted}`);
  say(`200 parallel requests through four isolates at limit 50 (sliding-log): ${admitted} admitted.`);
}

say();
say("## What a lease under-admits");
say();
say("`lease = 20`, limit 200 a minute. Units that an isolate took and did not spend lapse with the window.");
say();
say("| isolates | requests | admitted | units burnt | admitted of 400 sent in one window |");
say("|---|---|---|---|---|");
for (const count of [1, 5, 32]) {
  const limit: Limit = { name: "w", limit: 200, window: "1 m", algorithm: "fixed-window", lease: 20 };
  now += 60_000;
  const few = openIsolates(count);
  let admitted = 0;
  for (let each = 0; each < 2 * count; each += 1)
    if (await few[each % count]?.(routeOf(limit))) admitted += 1;
  const burnt = await unitsCounted(`bench${prefixes}`);
  const many = openIsolates(count);
  let flood = 0;
  const random = seeded(5);
  for (let each = 0; each < 400; each += 1) {
    if (await many[Math.floor(random() * count)]?.(routeOf(limit))) flood += 1;
  }
  check(flood <= 200 && admitted <= 200, "a lease over-admitted");
  say(`| ${count} | ${2 * count} | ${admitted} | ${burnt} | ${flood} |`);
}

say();
say("## Commands that Upstash would bill, per request");
say();
say("| request | commands |");
say("|---|---|");
const wide = { limit: 100_000, window: "1 h" } as const;
await bill("one sliding-window", 5, routeOf({ name: "w", ...wide }));
await bill(
  "two windows",
  4,
  routeOf({ name: "w", ...wide }, { name: "x", ...wide, algorithm: "fixed-window" }),
);
await bill(
  "three windows",
  5,
  routeOf({ name: "w", ...wide }, { name: "x", ...wide }, { name: "y", ...wide, algorithm: "fixed-window" }),
);
await bill("one sliding-window, cost 3", 3, routeOf({ name: "w", ...wide, cost: 3 }));
await bill("one fixed-window", 3, routeOf({ name: "w", ...wide, algorithm: "fixed-window" }));
await bill("one sliding-log", 6, routeOf({ name: "w", ...wide, algorithm: "sliding-log" }));
await bill(
  "one token-bucket",
  4,
  routeOf({ name: "w", capacity: 100_000, refill: 1, window: "1 h", algorithm: "token-bucket" }),
);
await bill("`lease = 20`", 0.3, routeOf({ name: "w", ...wide, lease: 20 }));
await bill("a blocked caller", 0, routeOf({ name: "w", limit: 1, window: "1 h" }));

const text = `${lines.join("\n")}\n`;
console.log(text);
await writeFile(`${import.meta.dirname}/LIMITS.md`, text);
await upstash.stop();
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exitCode = 1;
}

/** @param most What the request may cost, averaged over 100 after the first few. */
async function bill(name: string, most: number, route: Route): Promise<void> {
  now += 3_600_000;
  const [ask] = openIsolates(1);
  for (let each = 0; each < 2; each += 1) await ask?.(route);
  const before = await commandsRun(upstash);
  for (let each = 0; each < 100; each += 1) await ask?.(route);
  const each = ((await commandsRun(upstash)) - before) / 100;
  check(each <= most, `${name}: ${each} commands, not ${most}`);
  say(`| ${name} | ${each.toFixed(2)} |`);
}

/** What all counters under a prefix hold. */
async function unitsCounted(prefix: string): Promise<number> {
  const keys = (await ask("KEYS", `${prefix}:*`)) as string[];
  const values = keys.length > 0 ? ((await ask("MGET", ...keys)) as string[]) : [];
  return values.reduce((sum, value) => sum + Number(value), 0);
}

async function ask(...command: string[]): Promise<unknown> {
  const response = await fetch(upstash.url, {
    method: "POST",
    headers: { authorization: `Bearer ${upstash.token}` },
    body: JSON.stringify(command),
  });
  return ((await response.json()) as { result: unknown }).result;
}
