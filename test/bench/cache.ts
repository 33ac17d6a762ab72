/**
 * What the response cache costs: `npm run bench -- cache`.
 *
 * The built Worker in workerd, a real Redis behind the local endpoint, an origin on loopback. Calls are counted where they
 * arrive, commands by the change of Redis's `INFO commandstats`, those inside scripts included; both are exact, and the run
 * fails where they differ from what stands here. Times and memory are this machine's and are only printed.
 */
import { writeFile } from "node:fs/promises";
import { bodyOf } from "../../src/response-cache/body.ts";
import type { Entry } from "../../src/response-cache/entry.ts";
import { MemoryEntryStore } from "../../src/response-cache/memory-entry-store.ts";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { startSpeakingOrigin } from "../support/edge/scripted-origin.ts";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { commandsRun } from "./commands-run.ts";
import { evictionReport, mapTimesReport } from "./maps.ts";

const ROUNDS = 300;
const ADMIN = "an-operators-token-for-this-bench";
const upstash = await startUpstashLocal({ redis: "auto" });
const origin = await startSpeakingOrigin();
const lines: string[] = [];
const failures: string[] = [];
const say = (line = "") => lines.push(line);

const open = (vars: Record<string, string | number | object> = {}): Promise<Edge> =>
  startEdge({
    vars: {
      UPSTASH_REDIS_REST_URL: upstash.url,
      UPSTASH_REDIS_REST_TOKEN: upstash.token,
      ORIGIN_URL: origin.url,
      ADMIN_TOKEN: ADMIN,
      LOG_LEVEL: "error",
      STORE_DEADLINE_MS: 10_000,
      ROUTES: [{ path: "/cached/*", cache: { scope: "shared", ttl: 3600 } }, { path: "/passed/*" }],
      ...vars,
    },
  });

const BODY = JSON.stringify(Array.from({ length: 60 }, (_, n) => ({ n, name: `row number ${n}` })));
for (const kind of ["cached", "passed"]) {
  for (let n = 0; n < ROUNDS; n += 1) {
    origin.say(`/${kind}/${n}`, { headers: { "content-type": "application/json" }, body: BODY });
  }
}
/** Reads purges when it is opened, and not again while the rows are counted: what a look costs is a row of its own. */
const held = await open({ ISOLATE_MAX_AGE_MS: 60_000 });
/** Looks into Redis at every request, as a fresh isolate does for its first. */
const looking = await open({ ISOLATE_MAX_AGE_MS: 0 });

interface Row {
  name: string;
  edge: Edge;
  path(round: number): string;
  word: string | null;
  calls: number;
  commands: number;
}

say("# What the response cache costs");
say();
say(
  "Made by `npm run bench -- cache`: the built Worker in workerd, a real Redis behind the local endpoint, an origin on",
);
say(
  `loopback, one request at a time, ${ROUNDS} of each, bodies of ${BODY.length} bytes. Calls and commands are exact and are`,
);
say("those of the whole request, the work after the response included.");
say();
say("| what | calls to Upstash | commands it bills | p50 ms | p99 ms |");
say("|---|---|---|---|---|");
await measure({
  name: "a route without a cache: passed through",
  edge: held,
  path: (n) => `/passed/${n}`,
  word: null,
  calls: 0,
  commands: 0,
});
await measure({
  name: "a miss: looked up, fetched, stored",
  edge: held,
  path: (n) => `/cached/${n}`,
  word: "MISS",
  calls: 2,
  commands: 2,
});
await measure({
  name: "a hit in the isolate",
  edge: held,
  path: () => "/cached/0",
  word: "HIT",
  calls: 0,
  commands: 0,
});
await held.restart();
await measure({
  name: "a hit in Redis",
  edge: held,
  path: (n) => `/cached/${n}`,
  word: "HIT",
  calls: 1,
  commands: 1,
});
for (let n = 0; n < ROUNDS; n += 1) await (await looking.fetch(`/cached/${n}`)).text();
await idle();
await looking.restart();
await measure({
  name: "a hit in Redis, where a look at purges and changes is due",
  edge: looking,
  path: (n) => `/cached/${n}`,
  word: "HIT",
  calls: 1,
  commands: 3,
});
await measure({
  name: "a hit in the isolate, where that look is due",
  edge: looking,
  path: (n) => `/cached/${n}`,
  word: "HIT",
  calls: 1,
  commands: 3,
});

say();
say("## Purging one tag, by the number of entries in Redis");
say();
say("| entries | calls | commands | ms | then |");
say("|---|---|---|---|---|");
await purge("nothing");
let filled = 0;
for (const count of [100, 10_000, 1_000_000]) {
  await fill(count);
  await (await held.fetch("/cached/1")).text();
  await idle();
  upstash.resetCalls();
  const before = await commandsRun(upstash);
  const since = performance.now();
  await purge("bench");
  const took = performance.now() - since;
  const commands = (await commandsRun(upstash)) - before;
  const calls = upstash.calls.length;
  const next = await held.fetch("/cached/1");
  await next.text();
  // It does not have the tag.
  const word = next.headers.get("x-cache");
  if (word !== "HIT") failures.push(`purging ${count}: the entry without the tag was a ${word}`);
  if (calls !== 1 || commands !== 5) {
    failures.push(`purging ${count}: ${calls} calls, ${commands} commands; not 1 and 5`);
  }
  say(
    `| ${count.toLocaleString("en")} | ${calls} | ${commands} | ${took.toFixed(1)} | another tag's entry: ${word} |`,
  );
  console.error(`purging one tag of ${count}: done`);
}

say();
say("## The isolate's tier at its bound");
say();
say("| bound | body | entries held | bytes it counts | memory it takes |");
say("|---|---|---|---|---|");
for (const [bound, size] of [
  [8 * 2 ** 20, 200],
  [8 * 2 ** 20, 4000],
  [32 * 2 ** 20, 4000],
  [32 * 2 ** 20, 100_000],
] as const) {
  await tierAtItsBound(bound, size);
}

for (const section of [evictionReport(), mapTimesReport()]) lines.push("", ...section);

const text = `${lines.join("\n")}\n`;
console.log(text);
await writeFile(`${import.meta.dirname}/CACHE.md`, text);
await Promise.all([held.stop(), looking.stop()]);
await origin.stop();
await upstash.stop();
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exitCode = 1;
}

async function measure({ name, edge, path, word, calls, commands }: Row): Promise<void> {
  // The first may have to send a script's text, and opens the connection.
  await (await edge.fetch("/cached/warm-up")).text();
  await idle();
  upstash.resetCalls();
  const before = await commandsRun(upstash);
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const since = performance.now();
    const response = await edge.fetch(path(round));
    await response.text();
    times.push(performance.now() - since);
    // What is stored of two misses in a row would share a call.
    await answered(calls * (round + 1));
    const said = response.headers.get("x-cache");
    if (said !== word) failures.push(`${name}: ${said} in place of ${word}`);
    // Two in one millisecond would share a look that is due.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await idle();
  const ran = ((await commandsRun(upstash)) - before) / ROUNDS;
  const called = upstash.calls.length / ROUNDS;
  if (called !== calls) failures.push(`${name}: ${called} calls, not ${calls}`);
  if (ran !== commands) failures.push(`${name}: ${ran} commands, not ${commands}`);
  times.sort((one, other) => one - other);
  const at = (share: number) => (times[Math.floor(times.length * share)] ?? Number.NaN).toFixed(2);
  say(`| ${name} | ${called} | ${ran} | ${at(0.5)} | ${at(0.99)} |`);
  console.error(`${name}: done`);
}

async function purge(tag: string): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN}` };
  const body = JSON.stringify({ tags: [tag] });
  await (await held.fetch("/edge/cache/purge", { method: "POST", headers, body })).text();
}

/** Waits until so many calls have arrived, at most a second: what is missing then is told as a wrong count. */
async function answered(calls: number): Promise<void> {
  const until = performance.now() + 1000;
  while (upstash.calls.length < calls && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 1));
}

/** Waits until no call has arrived for a while: deferred writes are then done. */
async function idle(): Promise<void> {
  let seen = -1;
  while (seen !== upstash.calls.length) {
    seen = upstash.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
}

/** Creates entries in their stored form, by a script in Redis. */
async function fill(count: number): Promise<void> {
  const script = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    local key = ARGV[3] .. i
    redis.call('SET', key, ARGV[4], 'PX', 3600000) end return 1`;
  const entry = JSON.stringify({ v: 2, tags: ["bench"] });
  const step = 50_000;
  for (; filled < count; filled = Math.min(count, filled + step)) {
    const to = Math.min(count, filled + step) - 1;
    await upstash.redis.command("EVAL", script, "0", `${filled}`, `${to}`, "filled:", entry);
  }
}

async function tierAtItsBound(bound: number, size: number): Promise<void> {
  const before = await memory();
  const tier = new MemoryEntryStore({ platform: { now: () => 0 }, bytes: bound });
  const enough = Math.ceil((bound / size) * 1.2);
  for (let n = 0; n < enough; n += 1) tier.put({ key: `key-${n}`.padEnd(32, "0") }, entryOf(n, size));
  const took = (await memory()) - before;
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const held = tier.sizes.urls.toLocaleString("en");
  say(
    `| ${mib(bound)} | ${size.toLocaleString("en")} bytes | ${held} | ${mib(tier.sizes.bytes)} | ${mib(took)} |`,
  );
  if (tier.sizes.bytes > bound)
    failures.push(`the tier counts ${tier.sizes.bytes} bytes, more than ${bound}`);
  console.error(`the isolate's tier with bodies of ${size}: done`);
}

/** Bytes in use after garbage collection, buffers included. */
async function memory(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function entryOf(n: number, size: number): Entry {
  return {
    id: `id-${n}`,
    variant: "",
    meta: {
      status: 200,
      headers: [
        ["content-type", "application/json"],
        ["cache-control", `max-age=${n}`],
        ["etag", `"${n}"`],
        ["date", "Thu, 15 Jan 2026 12:00:00 GMT"],
      ],
      requestTime: n,
      responseTime: n,
      vary: [],
      credentials: false,
    },
    shareable: false,
    tags: [],
    keepUntil: 1,
    body: bodyOf(new Uint8Array(size)),
  };
}
