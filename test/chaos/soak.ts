import type { RouteInput } from "../../src/config/route.ts";
import { openIsolate } from "../../src/edge/full-isolate.ts";
import { workerPlatform } from "../../src/runtime/platform.ts";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { edgeAnswer } from "../../src/worker.ts";
import { dice } from "../support/dice.ts";
import { pause } from "./proxy.ts";

export interface SoakOptions {
  /** Default 600. */
  seconds?: number;
  /** How many different callers, users, URLs and tags to reach, together. Default 1e6. */
  distinct?: number;
  seed?: number;
  progress?(line: string): void;
}

export interface SoakResult {
  seconds: number;
  requests: number;
  outages: number;
  /** Different callers, users, URLs and tags that were seen. */
  distinct: number;
  statuses: ReadonlyMap<number, number>;
  bounds: { name: string; entries: number; most: number }[];
  /** Bytes in use after a collection, at the start, when the maps were full, and at the end. */
  memory: { start: number; half: number; end: number };
  misses: string[];
}

const ROUTES: RouteInput[] = [
  {
    path: "/cached/*",
    cache: { ttl: 3600, scope: "shared" },
    limits: [{ name: "c", limit: 50, window: "1 h", lease: 2 }],
  },
  {
    path: "/user/*",
    access: "session",
    limits: [
      { name: "log", limit: 20, window: "1 h", algorithm: "sliding-log" },
      { name: "bucket", algorithm: "token-bucket", capacity: 20, refill: 1, window: "1 m" },
    ],
  },
  { path: "/keys/*", verifiesKeys: true, access: "identified" },
];
const SERVICE = "a-service-token-of-the-soak-alone";
const ADMIN = "an-admin-token-of-the-soak-alone-0";
const AT_ONCE = 16;
/** Heap allowed beside the maps: code, connections, requests in progress. */
const SLACK_BYTES = 64 * 2 ** 20;

/**
 * Runs the Worker's app in this process, where its maps can be read. Every request brings new callers, users, URLs or tags,
 * and the store goes up and down. At the end every map and the heap must be within their bounds.
 */
export async function runSoak(options: SoakOptions = {}): Promise<SoakResult> {
  const { seconds = 600, distinct = 1_000_000, seed = 1, progress = () => {} } = options;
  const upstash = await startUpstashLocal({ redis: "required" });
  const chance = dice(seed);
  let down = false;
  let n = 0;
  let users = 0;
  const isolate = openIsolate(
    {
      UPSTASH_REDIS_REST_URL: upstash.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.token,
      ORIGIN_URL: "http://origin.example",
      SESSION_SECRET: "a-session-secret-of-the-soak-alone-0123",
      SERVICE_TOKEN: SERVICE,
      ADMIN_TOKEN: ADMIN,
      LOG_LEVEL: "error",
    },
    ROUTES,
    {
      ...workerPlatform,
      async fetch(input, init) {
        const url = String(input instanceof Request ? input.url : input);
        if (!url.startsWith("http://origin.example")) {
          if (down) throw new TypeError("down");
          return fetch(input, init);
        }
        const tag = `tag-${n}`;
        return new Response(`answer for ${url} `.repeat(4), {
          headers: {
            "cache-control": "public, max-age=3600",
            "cache-tag": tag,
            "content-type": "text/plain",
          },
        });
      },
    },
  );
  const answer = edgeAnswer(isolate);
  const background = new Set<Promise<unknown>>();
  const context = {
    waitUntil(work: Promise<unknown>) {
      background.add(work);
      work.finally(() => background.delete(work)).catch(() => {});
    },
    passThroughOnException() {},
    props: {},
  } as unknown as ExecutionContext;
  const statuses = new Map<number, number>();
  const misses: string[] = [];

  async function ask(path: string, headers: Record<string, string> = {}, method = "GET", body?: object) {
    const request = new Request(`http://edge.example${path}`, {
      method,
      headers: { "cf-connecting-ip": addressOf(n), ...headers },
      ...(body && { body: JSON.stringify(body) }),
    });
    const response = await answer(request, context);
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    const text = await response.text();
    // Ten thousand endings are pending, which is the bound. The edge answers 503.
    const isFull = response.status === 503 && text.includes("ENDING_NOT_KEPT");
    if (response.status >= 500 && !isFull && misses.length < 10)
      misses.push(`${response.status}: ${text.slice(0, 200)}`);
    return text;
  }

  /** A new caller, URL and tag; every fourth time a new user; sometimes the other kinds of request. */
  async function newcomer(): Promise<void> {
    n += 1;
    const mine = n;
    await ask(`/cached/${mine}?page=${mine}`);
    if (mine % 4 === 0) await newUser(mine);
    if (mine % 8 === 1) {
      const operator = { authorization: `Bearer ${ADMIN}` };
      await ask("/edge/cache/purge", operator, "POST", { tags: [`tag-${mine}`], soft: chance.chance(0.5) });
    }
    if (mine % 8 === 3) await ask(`/keys/${mine % 7}`, { "x-api-key": `key-number-${mine}` });
    if (mine % 8 === 5) await ask("/auth/sessions", { authorization: `Bearer wrong-${mine}` }, "POST", {});
  }

  async function newUser(mine: number): Promise<void> {
    users += 1;
    const made = await ask("/auth/sessions", { authorization: `Bearer ${SERVICE}` }, "POST", {
      user_id: `user-${mine}`,
    });
    const { token } = JSON.parse(made) as { token?: string };
    if (token === undefined) return;
    const bearer = { authorization: `Bearer ${token}` };
    if (mine % 8 === 0) await ask(`/user/${mine}`, bearer);
    if (mine % 16 === 0) await ask("/auth/sessions/current", bearer, "DELETE");
  }

  const start = await memoryInUse();
  let half = start;
  const startedAt = performance.now();
  const elapsed = () => (performance.now() - startedAt) / 1000;
  const turn = seconds / 10;
  let outages = 0;
  let told = 0;
  try {
    const workers = Array.from({ length: AT_ONCE }, async () => {
      while (elapsed() < seconds) {
        await newcomer();
        // Deferred writes must not accumulate here. In workerd each invocation awaits its own.
        if (background.size > 500) await Promise.allSettled([...background]);
      }
    });
    while (elapsed() < seconds) {
      await pause(Math.min(1000, seconds * 100));
      const isDown = Math.floor(elapsed() / turn) % 5 !== 0;
      if (isDown && !down) outages += 1;
      down = isDown;
      // The endpoint's record of calls is not the Worker's memory.
      upstash.resetCalls();
      if (half === start && elapsed() > seconds / 2) half = await memoryInUse();
      if (elapsed() > told + 10) {
        told = elapsed();
        progress(
          `soak: ${Math.round(told)} s, ${n.toLocaleString("en")} newcomers, store ${down ? "down" : "up"}`,
        );
      }
    }
    await Promise.all(workers);
    await Promise.allSettled([...background]);
    const end = await memoryInUse();
    const bounds = boundsOf(isolate);
    for (const { name, entries, most } of bounds) {
      if (entries > most) misses.push(`${name}: ${entries}, more than ${most}`);
    }
    const allowed = start + SLACK_BYTES + MAX_MAP_BYTES;
    if (end > allowed) misses.push(`${mib(end)} in use at the end, more than ${mib(allowed)}`);
    // Callers, URLs, tags; and users.
    const seen = 3 * n + users;
    // A short soak checks the maps that fill first. Only a long one can reach this number.
    if (seconds >= 600 && seen < distinct) misses.push(`${seen} different ones, fewer than ${distinct}`);
    const requests = [...statuses.values()].reduce((sum, count) => sum + count, 0);
    const memory = { start, half, end };
    return { seconds, requests, outages, distinct: seen, statuses, bounds, memory, misses };
  } finally {
    await upstash.stop();
  }
}

/**
 * The sum of the stated bounds, MiB: cache 32, counters 16, sessions 16, sessions seen 8 and pending 8, values 8, limits
 * seen and pending 12, tokens 4, hashes 1.
 */
const MAX_MAP_BYTES = 105 * 2 ** 20;

function boundsOf({ cache, limiter, sessions, verifiedKeys, config }: ReturnType<typeof openIsolate>) {
  const held = cache.sizes;
  const kept = sessions.service.sizes;
  return [
    { name: "cache: URLs", entries: held.urls, most: 50_000 },
    { name: "cache: bytes", entries: held.bytes, most: config.cache.isolateBytes },
    { name: "cache: purges", entries: held.purges, most: 1752 },
    { name: "sessions: records", entries: kept.sessions, most: 10_000 },
    { name: "sessions: bytes", entries: kept.bytes, most: 16 * 2 ** 20 },
    { name: "sessions: seen", entries: kept.seen, most: 10_000 },
    { name: "sessions: tombstones", entries: kept.tombstones, most: 100_000 },
    { name: "sessions: marks", entries: kept.marks, most: 100_000 },
    { name: "sessions: to be written", entries: kept.pending, most: 20_000 },
    { name: "caller: verified keys", entries: verifiedKeys.size, most: 10_000 },
    ...Object.entries(limiter.sizes).map(([name, entries]) => ({
      name: `limits: ${name}`,
      entries,
      most: LIMIT_BOUNDS[name] ?? 0,
    })),
  ];
}

/** As `ratelimit/` states them. */
const LIMIT_BOUNDS: Record<string, number> = {
  counters: 51_000,
  counterBytes: 16 * 2 ** 20,
  seen: 10_000,
  blocks: 10_000,
  leases: 10_000,
  pending: 10_000,
  pendingBytes: 4 * 2 ** 20,
  seenBytes: 4 * 2 ** 20,
  blockBytes: 4 * 2 ** 20,
};

/** A different address for each number. The documentation networks are too small for a million. */
function addressOf(n: number): string {
  return `2001:db8:${((n >> 16) & 0xffff).toString(16)}:${(n & 0xffff).toString(16)}::1`;
}

async function memoryInUse(): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    globalThis.gc?.();
    await pause(50);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** The section of RESULTS.md. */
export function soakReport(result: SoakResult): string {
  const { seconds, requests, outages, distinct, statuses, bounds, memory, misses } = result;
  const sorted = [...statuses].sort(([one], [other]) => one - other);
  return [
    "# What fills up",
    "",
    `Made by \`npm run chaos -- soak\`: the Worker's app in one process for ${seconds} s, ${requests.toLocaleString("en")} requests of`,
    `${distinct.toLocaleString("en")} different callers, users, URLs and tags; the store was lost ${outages} times, for four fifths of the time.`,
    "",
    `Statuses: ${sorted.map(([status, count]) => `${status} × ${count.toLocaleString("en")}`).join(", ")}.`,
    "",
    "The 503s are ends of sessions that found ten thousand others waiting for the store: they say so, and are to be repeated.",
    "",
    `Memory in use after a collection: ${mib(memory.start)} at the start, ${mib(memory.half)} half way, ${mib(memory.end)} at the end.`,
    `Allowed: what there was at the start, ${mib(MAX_MAP_BYTES)} of maps at their stated bounds of bytes all at once, and ${mib(SLACK_BYTES)} for what`,
    "has no such bound (tombstones, leases) and for Node. An isolate has 128 MB; lower `CACHE_ISOLATE_BYTES` where that is too little.",
    "",
    "| map | at the end | bound |",
    "|---|---|---|",
    ...bounds.map(
      ({ name, entries, most }) =>
        `| ${name} | ${entries.toLocaleString("en")} | ${most.toLocaleString("en")} |`,
    ),
    "",
    ...misses.map((miss) => `- **missed**: ${miss}`),
    ...(misses.length > 0 ? [""] : []),
  ].join("\n");
}
