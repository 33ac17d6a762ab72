import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { startEchoOrigin } from "../chaos/origin.ts";
import { FaultProxy, pause } from "../chaos/proxy.ts";
import { type Dice, dice } from "../support/dice.ts";
import { delayAt, hang, INTERVAL_MS, type Journey, travel } from "../support/distant-store.ts";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { median } from "./compare/percentile.ts";
import type { Section } from "./distance.ts";

const REQUESTS = 300;
const ROUND_TRIPS = [5, 50, 150, 300, 500, 800];
/** Of 300 requests from 20 to 800 ms and back. */
const MAX_FALLBACKS = 0.03 * REQUESTS;
const CEILING_MS = 1200;
/** A timer of a busy machine is late. */
const MARGIN_MS = 100;
/** Before the hang, so that the isolate's cold start is over. */
const WARM_UP_REQUESTS = 10;

interface Place {
  edge: Edge;
  proxy: FaultProxy;
  /** Requests in a row, of which each meets the store at its distance. */
  go(distances: readonly number[], seed: number): Promise<Journey>;
  stop(): Promise<void>;
}

/**
 * The section of DISTANCE.md about the deadline that learns. Each row has a Worker of its own and all run at the same time:
 * they wait. About 70 s.
 */
export async function measureDeadline(): Promise<Section> {
  const upstash = await startUpstashLocal({ redis: "auto" });
  const origin = await startEchoOrigin();
  const places: Place[] = [];
  const open = async () => {
    const place = await openPlace(upstash, origin.url, places.length);
    places.push(place);
    return place;
  };
  try {
    // Opened one after the other: starting a Worker takes the processor from those that are measured.
    const even = [];
    for (const rttMs of ROUND_TRIPS)
      even.push({
        name: `${rttMs} ms`,
        distances: Array<number>(REQUESTS).fill(rttMs),
        place: await open(),
        most: 0,
      });
    const third = Array<number>(REQUESTS / 3);
    const changing = {
      name: "20 → 800 → 20 ms",
      distances: [20, 800, 20].flatMap((rttMs) => [...third].fill(rttMs)),
      place: await open(),
      most: MAX_FALLBACKS,
    };
    const hanging = await open();
    // Before the others: it takes the processor, and their proxies run in this process too.
    const simulated: Journey[] = [];
    for (const [seed, { distances }] of [...even, changing].entries())
      simulated.push(await travel(distances, dice(seed + 1)));
    console.error(`the deadline: ${places.length} Workers, ${(REQUESTS * INTERVAL_MS) / 1000} s`);
    const [journeys, hung] = await Promise.all([
      Promise.all([...even, changing].map(({ distances, place }, seed) => place.go(distances, seed + 1))),
      measureHang(hanging),
    ]);
    const compared = [...even, changing].flatMap(({ name, most }, at) => {
      const [real, virtual] = [journeys[at], simulated[at]];
      return real && virtual ? [{ name, most, real, virtual }] : [];
    });
    return report(compared, hung);
  } finally {
    for (const place of places) await place.stop();
    await origin.stop();
    await upstash.stop();
  }
}

async function openPlace({ url, token }: UpstashLocal, originUrl: string, number: number): Promise<Place> {
  const proxy = new FaultProxy(url);
  await proxy.open();
  const edge = await startEdge({
    vars: {
      UPSTASH_REDIS_REST_URL: proxy.url,
      UPSTASH_REDIS_REST_TOKEN: token,
      ORIGIN_URL: originUrl,
      REDIS_RATE_LIMIT_PREFIX: `distance-${number}`,
      ROUTES: [{ path: "/*", limits: [{ name: "distance", limit: 1_000_000, window: "1 h" }] }],
    },
  });
  return {
    edge,
    proxy,
    go: (distances, seed) => go({ edge, proxy }, distances, dice(seed)),
    async stop() {
      await edge.stop();
      await proxy.close();
    },
  };
}

async function go(
  { edge, proxy }: Pick<Place, "edge" | "proxy">,
  distances: readonly number[],
  chance: Dice,
): Promise<Journey> {
  let rttMs = 0;
  proxy.treat(async (call) => {
    const since = performance.now();
    const ms = delayAt(rttMs, chance);
    await pause(ms / 2);
    const answer = await call.forward();
    await pause(Math.max(0, since + ms - performance.now()));
    call.reply(answer);
  }, chance);
  const from = edge.log.length;
  const waits: number[] = [];
  const sent: Promise<unknown>[] = [];
  const since = performance.now();
  for (const [index, distance] of distances.entries()) {
    await pause(Math.max(0, since + index * INTERVAL_MS - performance.now()));
    rttMs = distance;
    sent.push(ask(edge, waits));
  }
  await Promise.all(sent);
  await pause(CEILING_MS);
  const lines = edge.log.slice(from);
  const gaveUp = lines.filter(({ event, limits }) => event === "request" && limits === "allowed by memory");
  const openings = lines.filter(({ event }) => event === "store.lost");
  return { waits, gaveUp: gaveUp.length, openings: openings.length };
}

async function ask(edge: Edge, waits: number[]): Promise<void> {
  const since = performance.now();
  await (await edge.fetch("/limited")).arrayBuffer();
  waits.push(performance.now() - since);
}

async function measureHang({
  edge,
  proxy,
  go: warmUp,
}: Place): Promise<{ noticedMs: number; waits: number[] }> {
  await warmUp(Array<number>(WARM_UP_REQUESTS).fill(20), 99);
  const waits: number[] = [];
  const sent: Promise<void>[] = [];
  const lost = () => edge.log.find(({ event }) => event === "store.lost");
  proxy.treat(() => {}, dice(1));
  const since = Date.now();
  while (!lost() && Date.now() - since < 3 * CEILING_MS) {
    sent.push(ask(edge, waits));
    await pause(INTERVAL_MS);
  }
  await Promise.all(sent);
  const at = lost()?.time;
  return { noticedMs: at === undefined ? Number.POSITIVE_INFINITY : Date.parse(String(at)) - since, waits };
}

interface Compared {
  name: string;
  /** Most fallbacks. */
  most: number;
  real: Journey;
  virtual: Journey;
}

async function report(
  journeys: readonly Compared[],
  hung: { noticedMs: number; waits: number[] },
): Promise<Section> {
  const failures: string[] = [];
  for (const { name, most, real, virtual } of journeys) {
    for (const [where, { gaveUp, openings }] of [["", real] as const, [" (virtual)", virtual] as const]) {
      if (openings > 0) failures.push(`deadline, ${name}${where}: ${openings} openings, not 0`);
      if (gaveUp > most) failures.push(`deadline, ${name}${where}: ${gaveUp} fallbacks, not ${most}`);
    }
  }
  if (hung.noticedMs > CEILING_MS + MARGIN_MS)
    failures.push(`deadline, a hang: noticed after ${hung.noticedMs} ms, not ${CEILING_MS}`);
  const simulated = await hang();
  const ms = (value: number) => `${Math.round(value)}`;
  const longest = ({ waits }: { waits: number[] }) => ms(Math.max(...waits));
  const lines = [
    "## A deadline that learns",
    "",
    `${REQUESTS} requests, one each ${INTERVAL_MS} ms, on a route with one limit and without an origin, to a store that answers after the`,
    "round trip ± 30 %. *Fallback*: the limit was decided without the store. p50 and longest wait are those of the whole request, ms.",
    "Beside them the same in virtual time, which is the unit test of the deadline, to 10 ms. The deadline begins at 400 ms, its",
    `ceiling is ${CEILING_MS}. Targets: no opening; no fallback, and after a change of distance at most ${MAX_FALLBACKS} (3 %).`,
    "",
    "| round trip | false openings | fallbacks | p50 | longest | virtual: openings | fallbacks | p50 | longest |",
    "|---|---|---|---|---|---|---|---|---|",
    ...journeys.map(({ name, real, virtual }) => {
      const columns = [real, virtual].flatMap((each) => [
        `${each.openings}`,
        `${each.gaveUp}`,
        ms(median(each.waits)),
        longest(each),
      ]);
      return `| ${name} | ${columns.join(" | ")} |`;
    }),
    "",
    `A store that hangs, from 20 ms on: noticed after ${hung.noticedMs} ms, and no request waited longer than ${longest(hung)} ms.`,
    `In virtual time: ${simulated.noticedMs} and ${longest(simulated)} ms. The target is ${CEILING_MS} ms, and ${MARGIN_MS} more where timers are real.`,
  ];
  return { text: lines.join("\n"), failures };
}
