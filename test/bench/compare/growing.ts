import { type Contestant, startContestant } from "./contestants.ts";
import { idle, openHarness } from "./harness.ts";
import { load } from "./load.ts";
import { median } from "./percentile.ts";

/** What the edge does once it has met so many different callers, each with a URL of its own, on so many routes. */
export interface Growth {
  routes: number;
  /** Different callers and URLs so far. */
  known: number;
  /** Requests a second of ten callers for ten URLs, which the isolate holds. */
  warm: number;
  /** Requests a second of callers and for URLs that are new. */
  fresh: number;
  heapBytes: number;
}

const ROUTES = [1, 10, 100];
const KNOWN = [10, 1000, 100_000];
/** The most callers and URLs, but at the most routes: to meet each takes a millisecond or two. */
const MAX_KNOWN_OF_FEWER = 1000;
const SLICES = 6;
const SLICE_MS = 250;
const STEP = 10_000;

interface Grown {
  contestant: Contestant;
  routes: number;
  known: number;
}

/** Three Workers side by side, measured in alternating slices. Fresh requests are counted as known from then on. */
export async function measureGrowth(say: (line: string) => void): Promise<Growth[]> {
  const harness = await openHarness([]);
  const { wire, upstash, originUrl } = harness;
  const grown: Grown[] = [];
  try {
    for (const routes of ROUTES) {
      const contestant = await startContestant("edge", {
        storeUrl: wire.url,
        storeToken: upstash.token,
        originUrl,
        routes: routesOf(routes),
      });
      grown.push({ contestant, routes, known: 0 });
    }
    const found: Growth[] = [];
    for (const known of KNOWN) {
      const measured = grown.filter(({ routes }) => known <= MAX_KNOWN_OF_FEWER || routes === ROUTES.at(-1));
      for (const each of measured) await meet(each, known, say);
      await idle(harness);
      // First what adds nobody.
      const warm = await slices(measured, (each) => run(each, { ms: SLICE_MS }, warmRequest));
      const fresh = await slices(measured, (each) =>
        run(each, { requests: freshRequests(known) }, freshRequest),
      );
      await idle(harness);
      for (const each of measured) {
        found.push({
          routes: each.routes,
          known,
          warm: median(warm.get(each) ?? []),
          fresh: median(fresh.get(each) ?? []),
          heapBytes: await each.contestant.heapBytes(),
        });
      }
      say(
        `${known.toLocaleString("en")} callers and URLs, ${measured.map(({ routes }) => routes).join(", ")} routes`,
      );
    }
    return found;
  } finally {
    for (const { contestant } of grown) await contestant.stop();
    await harness.stop();
  }
}

function routesOf(count: number): object[] {
  return Array.from({ length: count }, (_, n) => ({
    path: `/part-${n}/*`,
    limits: [{ name: `part-${n}`, limit: 10_000_000, window: "1 h", lease: 1000 }],
    cache: { scope: "shared", ttl: 600 },
  }));
}

/** So few that they hardly change how many are known. */
const freshRequests = (known: number) => Math.min(300, Math.max(20, known / 20));

async function slices(all: readonly Grown[], measure: (each: Grown) => Promise<number>) {
  const rates = new Map(all.map((each): [Grown, number[]] => [each, []]));
  for (let round = 0; round < SLICES; round += 1)
    for (const each of round % 2 === 0 ? all : all.toReversed()) rates.get(each)?.push(await measure(each));
  return rates;
}

async function run(
  each: Grown,
  until: { ms: number } | { requests: number },
  request: (each: Grown, n: number) => string,
): Promise<number> {
  const { port } = each.contestant;
  const { times, seconds, statuses } = await load({
    port,
    clients: 8,
    ...until,
    request: (n) => request(each, n),
  });
  if (statuses.size !== 1 || !statuses.has(200))
    throw new Error(`${each.routes} routes: answered ${[...statuses.keys()].join(", ")}`);
  return times.length / seconds;
}

async function meet(each: Grown, known: number, say: (line: string) => void): Promise<void> {
  while (each.known < known) {
    await run(each, { requests: Math.min(STEP, known - each.known) }, freshRequest);
    if (known > STEP) say(`${each.known.toLocaleString("en")} callers and URLs at ${each.routes} routes`);
  }
}

function freshRequest(each: Grown): string {
  each.known += 1;
  return requestOf(each, each.known);
}

/** Of the ten that were met last: what is full drops what was there before. */
function warmRequest(each: Grown, n: number): string {
  return requestOf(each, each.known - (n % 10));
}

/** On the last route, so that a list of routes that is read from its beginning is read to its end. */
function requestOf({ routes }: Grown, n: number): string {
  const address = [100, 64 + (n >> 16), (n >> 8) & 255, n & 255].join(".");
  return `GET /part-${routes - 1}/page-${n} HTTP/1.1\r\nhost: api.example\r\ncf-connecting-ip: ${address}\r\naccept-encoding: identity\r\n\r\n`;
}

/** How many times as long or as large something may be where there are so many more: it grows like the logarithm. */
export function growthBound({ routes, known }: Pick<Growth, "routes" | "known">): number {
  return 1 + Math.log10(known / (KNOWN[0] ?? 1)) + Math.log10(routes / (ROUTES[0] ?? 1));
}
