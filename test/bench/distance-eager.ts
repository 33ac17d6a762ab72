import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { buildWorker } from "../support/edge/build.ts";
import { startWorkerd } from "../support/edge/workerd.ts";
import { entryOf, installPeers } from "./compare/contestants.ts";
import { exactly } from "./compare/delay.ts";
import { load } from "./compare/load.ts";
import { median } from "./compare/percentile.ts";
import { startWire } from "./compare/wire.ts";
import type { Section } from "./distance.ts";

/** Added round trips of the store and of the origin, ms. */
const DISTANCES = [5, 20, 50, 150];
/** Requests of a cell to each of the two routes, in turn. */
const REQUESTS = 60;
/** Requests to each of the two before the first cell, without delays: in its first ones an isolate still compiles what it runs. */
const WARM_UP_REQUESTS = 1500;
/** What a cold request may take beyond the slower of the two, ms. */
const MARGIN_MS = 7;

const limits = (name: string, limit: number) => [{ name, limit, window: "1 h" }];
const cache = { scope: "shared", ttl: 600 };
const ROUTES = [
  { path: "/eager/*", originFetch: "eager", limits: limits("eager", 1_000_000), cache },
  { path: "/checked/*", limits: limits("checked", 1_000_000), cache },
  { path: "/denied/*", originFetch: "eager", limits: limits("denied", 1), cache },
];

/** The origin answers such paths without its delay. */
const AT_ONCE = "/at-once";

/** `originFetch: "eager"` beside the same route without it: cold requests of one client, and what is wasted. */
export async function eagerSection(): Promise<Section> {
  const world = await openWorld();
  const failures: string[] = [];
  try {
    const rows: string[] = [];
    for (const prefix of ["/eager", "/checked"])
      for (let asked = 0; asked < WARM_UP_REQUESTS; asked += 500)
        await world.askTwice(world.newPaths(500, prefix), 8);
    await world.calibrate();
    for (const storeMs of DISTANCES)
      for (const originMs of DISTANCES) rows.push(await cell(world, storeMs, originMs, failures));
    return { text: textOf(rows, await wastes(world, failures), world.storeOwnMs), failures };
  } finally {
    await world.stop();
  }
}

type World = Awaited<ReturnType<typeof openWorld>>;

async function openWorld() {
  const upstash = await startUpstashLocal({ redis: "auto" });
  const wire = await startWire(upstash.url);
  wire.exact = true;
  const origin = { delayMs: 0, asked: 0, late: [] as number[] };
  const body = JSON.stringify({ rows: Array.from({ length: 12 }, (_, n) => ({ n, name: `row ${n}` })) });
  const server = createServer((request, response) => {
    request.resume();
    origin.asked += 1;
    const answer = () => {
      response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
      response.end(body);
    };
    if (request.url?.startsWith(AT_ONCE)) return answer();
    const dueAt = performance.now() + origin.delayMs;
    exactly(origin.delayMs, () => {
      origin.late.push(performance.now() - dueAt);
      answer();
    });
  });
  server.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const originUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const floor = await openFloor(originUrl);
  const contents = await readFile(await buildWorker(), "utf8");
  const bindings = {
    UPSTASH_REDIS_REST_URL: wire.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    ORIGIN_URL: originUrl,
    LOG_LEVEL: "info",
    // A machine that is busy is no outage: who is admitted by the isolate then needs the origin.
    STORE_DEADLINE_MS: 2000,
    ROUTES,
  };
  let wasted = 0;
  let storeOwnMs = 0;
  const onMessage = (message: string) => {
    if (message.includes('"eager":"wasted"')) wasted += 1;
  };
  const start = (port: number) => startWorkerd({ contents, bindings, port, onMessage });
  let miniflare = start(0);
  const port = Number((await miniflare.ready).port);
  let asked = 0;
  return {
    wire,
    origin,
    floor,
    get wasted() {
      return wasted;
    },
    /** Sends GETs for paths, `clients` at a time. */
    ask: (paths: readonly string[], clients = 1) => ask(port, paths, clients),
    /** The same, and once more: an isolate stores no more than 1,000 entries that were asked for once. */
    async askTwice(paths: readonly string[], clients: number) {
      for (let time = 0; time < 2; time += 1) await ask(port, paths, clients);
    },
    /** How long the store takes itself for what a check asks, ms: its distance includes that. */
    get storeOwnMs() {
      return storeOwnMs;
    },
    async calibrate() {
      wire.ownMs.length = 0;
      await ask(port, Array(REQUESTS).fill("/checked/calibration"), 1);
      storeOwnMs = median(wire.ownMs);
    },
    /** Paths that nobody has asked for. */
    newPaths(count: number, prefix: string): string[] {
      asked += count;
      return Array.from({ length: count }, (_, n) => `${prefix}/${asked - n}`);
    },
    async restart() {
      await idle();
      await miniflare.dispose();
      miniflare = start(port);
      await miniflare.ready;
    },
    idle,
    async stop() {
      await miniflare.dispose();
      await floor.stop();
      server.closeAllConnections();
      server.close();
      await wire.stop();
      await upstash.stop();
    },
  };

  /** Waits until the store has answered nothing for a while. */
  async function idle(): Promise<void> {
    for (let seen = -1; seen !== wire.answered; ) {
      seen = wire.answered;
      await new Promise((resolve) => setTimeout(resolve, 100 + wire.roundTripMs));
    }
  }
}

function ask(port: number, paths: readonly string[], clients: number) {
  return load({
    port,
    clients,
    requests: paths.length,
    request: (n) => `GET ${paths[n]} HTTP/1.1\r\nhost: api.example\r\ncf-connecting-ip: 203.0.113.9\r\n\r\n`,
  });
}

/** hono/proxy in workerd, with one delay on its only way: the least that this machine, its client and its delays take. */
async function openFloor(originUrl: string) {
  installPeers();
  const wire = await startWire(originUrl);
  wire.exact = true;
  const contents = await readFile(await buildWorker(entryOf("floor")), "utf8");
  const miniflare = startWorkerd({
    contents,
    bindings: { ORIGIN_URL: wire.url },
    port: 0,
    onMessage: () => {},
  });
  const port = Number((await miniflare.ready).port);
  return {
    /** One request after the slower of the two delays, made as the edge's is: on the way to the store, or in the origin. */
    async ask(count: number, storeMs: number, originMs: number): Promise<number[]> {
      wire.roundTripMs = storeMs > originMs ? storeMs : 0;
      const prefix = storeMs > originMs ? AT_ONCE : "/floor";
      await ask(port, Array(5).fill(`${prefix}/warm-up`), 1);
      return (await ask(port, Array(count).fill(`${prefix}/x`), 1)).times;
    },
    async stop() {
      await miniflare.dispose();
      await wire.stop();
    },
  };
}

async function cell(world: World, storeMs: number, originMs: number, failures: string[]): Promise<string> {
  const { wire, origin } = world;
  wire.roundTripMs = Math.max(0, storeMs - world.storeOwnMs);
  origin.delayMs = originMs;
  const eager = world.newPaths(REQUESTS, "/eager");
  const checked = world.newPaths(REQUESTS, "/checked");
  // Connections, the script and the isolate are warm.
  await world.ask([...world.newPaths(5, "/eager"), ...world.newPaths(5, "/checked")]);
  await world.idle();
  const before = { asked: origin.asked, wasted: world.wasted };
  origin.late = [];
  const { times } = await world.ask(eager.flatMap((path, n) => [path, checked[n] ?? path]));
  await world.idle();
  const asked = origin.asked - before.asked;
  const wasted = world.wasted - before.wasted;
  const late = median(origin.late);
  const floor = await world.floor.ask(REQUESTS, storeMs, originMs);
  const of = (which: number) => times.filter((_, n) => n % 2 === which);
  const most = Math.max(storeMs, originMs) + MARGIN_MS;
  const found = median(of(0));
  const what = `store ${storeMs} ms, origin ${originMs} ms`;
  if (found > most)
    failures.push(
      `${what}: the cold p50 is ${found.toFixed(1)} ms, more than ${most}; of a plain proxy at one such distance ${median(floor).toFixed(1)} ms`,
    );
  if (asked !== 2 * REQUESTS || wasted !== 0)
    failures.push(`${what}: ${asked} origin requests, ${wasted} wasted`);
  console.error(`${what}: ${p50(of(1))} → ${p50(of(0))}, floor ${p50(floor)}`);
  await world.ask([...eager, ...checked], 8);
  const more = (found - median(floor)).toFixed(1);
  return `| ${storeMs} | ${originMs} | ${p50(of(1))} | ${p50(of(0))} | ${most} | ${p50(floor)} | ${more} | ${late.toFixed(2)} | ${wasted} |`;
}

/** What requests that need no origin cost it all the same. */
async function wastes(world: World, failures: string[]): Promise<string[]> {
  const { wire, origin } = world;
  wire.roundTripMs = 20;
  origin.delayMs = 50;
  const rows: string[] = [];
  const count = async (what: string, paths: readonly string[], clients: number, most: number) => {
    const before = origin.asked;
    const { statuses } = await world.ask(paths, clients);
    await world.idle();
    const asked = origin.asked - before;
    if (asked > most) failures.push(`${what}: ${asked} origin requests, more than ${most}`);
    const answered = [...statuses].map(([status, each]) => `${each} × ${status}`).join(", ");
    rows.push(`| ${what} | ${clients} | ${answered} | ${asked} | ${most} |`);
  };
  // An isolate that has seen many URLs stores no more of those that are asked for once.
  await world.restart();
  const held = world.newPaths(100, "/eager");
  await world.ask(held, 4);
  await world.restart();
  await count("hits in Redis", held, 1, 21);
  await world.restart();
  await count("hits in Redis", held, 32, 21);
  await world.ask(world.newPaths(2, "/denied"));
  await world.restart();
  await count("queries of a caller who is over the limit", world.newPaths(300, "/denied"), 1, 1);
  await world.restart();
  await count("queries of a caller who is over the limit", world.newPaths(300, "/denied"), 32, 1);
  await world.restart();
  const [one = ""] = world.newPaths(1, "/eager");
  await count("requests for one URL", Array(20).fill(one), 20, 1);
  return rows;
}

/** The median and its 95 % interval, by the ranks that a binomial of one half leaves. */
function p50(times: readonly number[]): string {
  const sorted = [...times].sort((one, other) => one - other);
  const half = 0.98 * Math.sqrt(sorted.length);
  const low = sorted[Math.max(0, Math.floor(sorted.length / 2 - half))] ?? Number.NaN;
  const high = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + half))] ?? Number.NaN;
  return `${median(times).toFixed(1)} [${low.toFixed(1)}, ${high.toFixed(1)}]`;
}

function textOf(cells: readonly string[], wasted: readonly string[], storeOwnMs: number): string {
  return `## Asking the origin at once

Cold requests of one client: median and its 95 % interval, ms, of ${REQUESTS} requests each to a route with \`originFetch: "eager"\` and to the same one
without, in turn, in an isolate that has answered ${WARM_UP_REQUESTS} of each before. Each has one limit and a cache; each request is for another URL. The target is the slower of the two and ${MARGIN_MS} ms.
*Floor* is hono/proxy in workerd with the slower of the two delays alone, asked by the same client right after: what the machine, its
client and its delays take of the target. *Beyond it* is what the edge adds: who asks, the batch, the cache, the second fetch beside
the first. The client, the delays, the origin and the store's endpoint share one thread, where the two fetches meet.
The store answers after its distance, of which its own work takes ${storeOwnMs.toFixed(1)} ms here (median). Delays are exact to some tenths of a
millisecond; how late they are (median) tells how busy the machine is, and so does the time beyond both delays without an eager fetch.

| store, ms | origin, ms | after Redis | at once | target | floor | beyond it | timers late, ms | wasted |
|---|---|---|---|---|---|---|---|---|
${cells.join("\n")}

What an origin is asked for where none of its answers is needed, or one: 20 ms from the store, 50 from the origin, in an isolate that has
seen nobody. The bounds are exact.

| requests | clients | answers | origin requests | at most |
|---|---|---|---|---|
${wasted.join("\n")}`;
}
