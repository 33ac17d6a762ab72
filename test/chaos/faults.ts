import type { Dice } from "../support/dice.ts";
import { type Answer, pause, type Treatment } from "./proxy.ts";
import type { World } from "./world.ts";

/** A fault between the Worker and its store, or inside the store. */
export interface Fault {
  name: string;
  what: string;
  /** What the breaker should do. */
  breaker: "opens" | "stays closed" | "either";
  /** Redis loses its data. Sessions that only Redis held are over, and do not count as lost. */
  losesData?: true;
  /** ms after the fault by which refused or slow writes have been made. */
  retriedWithinMs?: number;
  /** The fault starts before the traffic. */
  startsFirst?: true;
  /** The store stays usable: no request may be answered without it. */
  neverWithout?: true;
  /** How calls are treated after the fault. Default: as before it. */
  afterwards?: Treatment;
  /** Requests that may wait: where only PING is answered, each probe makes one request wait. Default 0. */
  mostWaits?: number;
  /** The Worker must run with a clock that the test can shift. */
  movesClock?: true;
  /** Calls are answered after their requests have given them up: counts what becomes of these. */
  answersLate?: true;
  /** The most requests of each capability in a second, where each of them lasts long. */
  maxRate?: number;
  /** Variables of the Worker that differ from the matrix's. */
  vars?: Readonly<Record<string, number>>;
  start(world: World, dice: Dice): void | Promise<void>;
  stop(world: World): void | Promise<void>;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  type: "application/json",
  body: JSON.stringify(body),
});

type Kind = Pick<Fault, "breaker" | "retriedWithinMs">;

function onTheWay(name: string, what: string, kind: Kind, treatment: Treatment): Fault {
  return {
    name,
    what,
    ...kind,
    start: ({ proxy }, dice) => proxy.treat(treatment, dice),
    stop: ({ proxy }) => proxy.lift(),
  };
}

const opens: Kind = { breaker: "opens" };
const closed: Kind = { breaker: "stays closed" };
/** The edge doubles the pause between two attempts of a refused write up to eight seconds. */
const MAX_RETRY_MS = 8500;
/** Writes are applied and not confirmed: the edge writes them again. */
const unconfirmed: Kind = { ...closed, retriedWithinMs: MAX_RETRY_MS };

/** Delays of a store on another continent, TLS handshake included. */
const farAway: Treatment = async (call) => {
  await pause(call.firstOnConnection ? 1050 : 150);
  call.reply(await call.forward());
};

/** The store's answer, with its list of items changed. */
async function withItems(
  forward: () => Promise<Answer>,
  change: (items: { result?: unknown; error?: string }[]) => unknown,
): Promise<Answer> {
  const answer = await forward();
  const items = JSON.parse(answer.body) as { result?: unknown; error?: string }[];
  return { ...answer, body: JSON.stringify(change(items)) };
}

const QUOTA = "ERR max requests limit exceeded. Limit: 10000, Usage: 10000.";

/** Faults of the network and of the endpoint. The proxy makes them. */
const ofTheWay: Fault[] = [
  {
    name: "refuse",
    what: "connections are refused",
    ...opens,
    start: ({ proxy }) => proxy.close(),
    async stop({ proxy }) {
      proxy.lift();
      await proxy.open();
    },
  },
  onTheWay("reset-before", "reset before the store hears of it", opens, (call) => call.reset()),
  onTheWay("reset-after", "applied, then reset: the reply is lost", opens, async (call) => {
    await call.forward();
    call.reset();
  }),
  onTheWay("hang", "no answer, and nothing applied", opens, () => {}),
  onTheWay("hang-after", "applied, and no answer", opens, async (call) => {
    await call.forward();
  }),
  onTheWay("slow-drip", "a byte of the answer every 100 ms", opens, async (call) =>
    call.drip(await call.forward(), 100),
  ),
  onTheWay("latency", "20 to 250 ms more, at random", closed, async (call) => {
    await pause(20 + call.dice.roll() * 230);
    call.reply(await call.forward());
  }),
  {
    ...onTheWay("far", "each call is answered, after 450 to 900 ms", closed, async (call) => {
      const since = performance.now();
      const ms = 450 + call.dice.roll() * 450;
      await pause(ms / 2);
      const answer = await call.forward();
      await pause(Math.max(0, since + ms - performance.now()));
      call.reply(answer);
    }),
    answersLate: true,
    maxRate: 15,
    // A caller whom a late reply denies is blocked for so long.
    vars: { ISOLATE_MAX_AGE_MS: 10_000 },
  },
  {
    ...onTheWay("cold-connection", "", closed, () => {}),
    startsFirst: true,
    neverWithout: true,
    what: "a new isolate, whose connections each take 900 ms to begin, then 150 ms a call",
    async start({ proxy, edge }, dice) {
      await edge.restart();
      proxy.treat(farAway, dice);
    },
  },
  {
    name: "found-far-away",
    what: "connections are refused, and then each takes 900 ms to begin, and a call 150 ms",
    ...opens,
    afterwards: farAway,
    retriedWithinMs: 3000,
    start: ({ proxy }) => proxy.close(),
    stop: ({ proxy }) => proxy.open(),
  },
  {
    ...onTheWay("only-ping", "a PING is answered, everything else hangs", opens, async (call) => {
      if (call.probe) call.reply(await call.forward());
    }),
    // Probes run after 1 s and 3 s. Each lets one request call the store, before and after its response.
    mostWaits: 4,
  },
  onTheWay("status-401", "401: the token is not accepted", opens, (call) =>
    call.reply(json(401, { error: "WRONGPASS invalid or missing auth token" })),
  ),
  onTheWay("status-429", "429", opens, (call) => call.reply(json(429, { error: "Too Many Requests" }))),
  onTheWay("status-500", "500, applied", opens, async (call) => {
    await call.forward();
    call.reply(json(500, { error: "ERR internal" }));
  }),
  onTheWay("html-503", "503 with a page of a proxy", opens, (call) =>
    call.reply({ status: 503, type: "text/html", body: "<html><body>Service Unavailable</body></html>" }),
  ),
  onTheWay("quota-items", `200, every item \`${QUOTA.slice(0, 31)}\``, opens, async (call) =>
    call.reply(await withItems(call.forward, (items) => items.map(() => ({ error: QUOTA })))),
  ),
  onTheWay("quota-status", "the same as a 400", opens, (call) => call.reply(json(400, { error: QUOTA }))),
  onTheWay("truncated", "applied, half of the JSON", opens, async (call) => {
    const answer = await call.forward();
    call.reply({ ...answer, body: answer.body.slice(0, Math.floor(answer.body.length / 2)) });
  }),
  onTheWay("wrong-shape", "applied, an object in place of the list", opens, async (call) => {
    await call.forward();
    call.reply(json(200, { result: "OK" }));
  }),
  onTheWay("wrong-types", "applied, results of other types", unconfirmed, async (call) =>
    call.reply(
      await withItems(call.forward, (items) =>
        items.map(() => ({ result: call.dice.pick([42, "text", { a: 1 }, [], true]) })),
      ),
    ),
  ),
  onTheWay(
    "wrong-values",
    "applied, lists of the right length that hold objects",
    unconfirmed,
    async (call) =>
      call.reply(
        await withItems(call.forward, (items) =>
          items.map(({ result }) => ({ result: Array.isArray(result) ? result.map(() => ({ a: 1 })) : {} })),
        ),
      ),
  ),
  onTheWay("empty-200", "applied, 200 without a body", opens, async (call) => {
    await call.forward();
    call.reply({ status: 200, type: "application/json", body: "" });
  }),
  onTheWay("failing-item", "applied, one item of each reply an error", unconfirmed, async (call) =>
    call.reply(
      await withItems(call.forward, (items) => {
        const failing = call.dice.upTo(items.length);
        return items.map((item, index) => (index === failing ? { error: "ERR injected" } : item));
      }),
    ),
  ),
];

/** Faults inside a real Redis. */
const ofRedis: Fault[] = [
  {
    name: "noscript",
    what: "Redis forgets its scripts, again and again",
    ...closed,
    start({ proxy, upstash }, dice) {
      proxy.treat(async (call) => {
        if (call.dice.chance(0.3)) await upstash.redis.command("SCRIPT", "FLUSH");
        call.reply(await call.forward());
      }, dice);
    },
    stop: ({ proxy }) => proxy.lift(),
  },
  {
    name: "oom",
    retriedWithinMs: MAX_RETRY_MS,
    what: "Redis is full (`maxmemory`, `noeviction`)",
    ...closed,
    start: async ({ upstash }) => void (await upstash.redis.command("CONFIG", "SET", "maxmemory", "1")),
    stop: async ({ upstash }) => void (await upstash.redis.command("CONFIG", "SET", "maxmemory", "0")),
  },
  {
    name: "readonly",
    retriedWithinMs: MAX_RETRY_MS,
    what: "Redis has become a replica that takes no writes",
    ...closed,
    start: async ({ upstash }) => void (await upstash.redis.command("REPLICAOF", "127.0.0.1", "1")),
    stop: async ({ upstash }) => void (await upstash.redis.command("REPLICAOF", "NO", "ONE")),
  },
  {
    name: "wrong-type",
    what: "another program has put lists where counters, entries and indexes are",
    ...closed,
    start: async ({ upstash }) => void (await upstash.redis.command("EVAL", SPOIL, "0")),
    stop: async ({ upstash }) => void (await upstash.redis.command("EVAL", REMOVE_SPOILT, "0")),
  },
  {
    name: "redis-killed",
    what: "`kill -9` of Redis under load; it starts again empty",
    ...opens,
    losesData: true,
    start: ({ upstash }) => upstash.redis.kill(),
    stop: ({ upstash }) => upstash.redis.start({ keepData: false }),
  },
  {
    name: "redis-restarted",
    what: "Redis stops and starts with what it held",
    ...opens,
    start: ({ upstash }) => upstash.redis.stop(),
    stop: ({ upstash }) => upstash.redis.start(),
  },
  {
    name: "redis-emptied",
    what: "Redis stops and starts without what it held",
    ...opens,
    losesData: true,
    start: ({ upstash }) => upstash.redis.stop(),
    stop: ({ upstash }) => upstash.redis.start({ keepData: false }),
  },
  {
    name: "endpoint-stopped",
    what: "the endpoint stops and starts; Redis goes on",
    ...opens,
    start: ({ upstash }) => upstash.stopEndpoint(),
    stop: ({ upstash }) => upstash.startEndpoint(),
  },
];

const HOUR_MS = 3_600_000;

/** The Worker's clock jumps. Redis's clock does not. */
const ofTheClock: Fault[] = [
  ["clock-forward", "an hour ahead, and back", HOUR_MS] as const,
  ["clock-back", "an hour behind, and back", -HOUR_MS] as const,
].map(([name, what, shift]) => ({
  name,
  what: `the Worker's clock jumps ${what}`,
  ...closed,
  movesClock: true,
  start: (world) => shiftClock(world, shift),
  stop: (world) => shiftClock(world, 0),
}));

async function shiftClock({ edge }: World, ms: number): Promise<void> {
  await edge.fetch("/", { headers: { "x-clock-shift-ms": String(ms) } });
}

/** All faults of the matrix, in the order in which they run. */
export const faults: readonly Fault[] = [...ofTheWay, ...ofRedis, ...ofTheClock];

/** Session records stay as they are: overwriting one ends the session. */
const SPOIL = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local spoilt = string.find(key, 'ratelimit:') or string.find(key, 'cache:') or string.find(key, 'sessions:index')
  if spoilt then
    redis.call('DEL', key)
    redis.call('RPUSH', key, 'spoilt')
  end
end
redis.call('DEL', 'envoyou:cache:purges')
redis.call('SET', 'envoyou:cache:purges', 'spoilt')
return 1`;

const REMOVE_SPOILT = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('TYPE', key).ok == 'list' or key == 'envoyou:cache:purges' then redis.call('DEL', key) end
end
return 1`;
