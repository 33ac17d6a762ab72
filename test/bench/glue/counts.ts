import type { AppsProject } from "./project.ts";
import { linesOf } from "./project.ts";
import { type Answer, type Counts, countsOf, type RunningApp, type Store, startApp } from "./running-app.ts";
import { appWays, BARE, LIMIT, limitWays, type Way } from "./ways.ts";

/** What is counted of every way: exact whatever the machine does. */
interface Counted {
  /** Lines beyond those of the app without it. */
  lines: number;
  /** Bytes of the bundle beyond it, both gzipped. */
  gzipped: number;
}

export interface CountedLimits extends Counted {
  admitted: Counts;
  blocked: Counts;
  /** Header fields of the 429 that tell of limits. */
  fields: readonly string[];
  /** Whether the 429 has the app's own body. */
  ownBody: boolean;
  /** Of 20 requests at once. */
  admittedAtOnce: number;
  /** Whether a second middleware with the same key and limit has a count of its own. */
  apart: boolean;
}

export interface CountedApp extends Counted {
  /** Limit and session. */
  orders: Counts;
  /** The same and a cache that has no answer. */
  cold: Counts;
  /** The same, with an answer. */
  warm: Counts;
  /** Whether the second answer is the first. */
  isStored: boolean;
}

export interface CountedWays {
  limits: readonly (readonly [Way, CountedLimits])[];
  apps: readonly (readonly [Way, CountedApp])[];
}

export async function countAll(project: AppsProject, store: Store): Promise<CountedWays> {
  const bare = { lines: await linesOf(BARE), gzipped: (await project.bundle(BARE)).gzipped };
  const each = async <Found>(ways: readonly Way[], count: (way: Way, app: RunningApp) => Promise<Found>) => {
    const all: (readonly [Way, Found & Counted])[] = [];
    for (const way of ways) {
      const { contents, gzipped } = await project.bundle(way.app);
      const lines = (await linesOf(way.app)) - bare.lines;
      const found = await running(contents, store, (app) => count(way, app));
      all.push([way, { lines, gzipped: gzipped - bare.gzipped, ...found }]);
    }
    return all;
  };
  return {
    limits: await each(limitWays, async (way, app) => ({
      ...(await limitsOf(app, store)),
      apart: await countsApart(way, project, store),
    })),
    apps: await each(appWays, (_way, app) => appOf(app, store)),
  };
}

async function running<Found>(
  contents: string,
  store: Store,
  use: (app: RunningApp) => Promise<Found>,
): Promise<Found> {
  const app = await startApp(contents, store);
  try {
    return await use(app);
  } finally {
    await app.stop();
    await store.upstash.redis.command("FLUSHALL");
  }
}

async function limitsOf(
  app: RunningApp,
  store: Store,
): Promise<Omit<CountedLimits, keyof Counted | "apart">> {
  const ask = (tenant: string) => app.ask("/orders", { headers: { "x-tenant": tenant } });
  const counted = (tenant: string) => countsOf(store, () => ask(tenant));
  // The first one of all also loads scripts, and the first one of a tenant begins a window.
  await ask("first");
  return steady(async (round) => {
    const tenant = `tenant-${round}`;
    await ask(tenant);
    const admitted = await counted(tenant);
    expectStatus(admitted, 200);
    for (let n = 2; n < LIMIT; n += 1) await ask(tenant);
    const first = await ask(tenant);
    expectStatus(first, 429);
    const blocked = await counted(tenant);
    expectStatus(blocked, 429);
    const atOnce = await Promise.all(Array.from({ length: 20 }, () => ask(`crowd-${round}`)));
    return {
      admitted: costs(admitted),
      blocked: costs(blocked),
      fields: [...first.headers.keys()].filter((name) => /ratelimit|retry-after/.test(name)).sort(),
      ownBody: isOwn(first),
      admittedAtOnce: atOnce.filter(({ status }) => status === 200).length,
    };
  });
}

/** The 429 that the apps write. */
export function isOwn({ status, body }: Answer): boolean {
  if (status !== 429) return false;
  const { error, retryAfterSeconds } = JSON.parse(body) as { error?: string; retryAfterSeconds?: number };
  return error === "slow_down" && Number(retryAfterSeconds) > 0;
}

async function countsApart({ two = "" }: Way, project: AppsProject, store: Store): Promise<boolean> {
  const { contents } = await project.bundle(two);
  return running(contents, store, async (app) => {
    for (let n = 0; n < LIMIT; n += 1) expectStatus(await app.ask("/a"), 200);
    return (await app.ask("/b")).status === 200;
  });
}

async function appOf(app: RunningApp, store: Store): Promise<Omit<CountedApp, keyof Counted>> {
  const headers = await signIn(app);
  const counted = (path: string) => countsOf(store, () => app.ask(path, { headers }));
  expectStatus(await app.ask("/report"), 401);
  await app.ask("/report?first", { headers });
  return steady(async (round) => {
    const orders = await counted("/orders");
    const cold = await counted(`/report?${round}`);
    const warm = await counted(`/report?${round}`);
    for (const answer of [orders, cold, warm]) expectStatus(answer, 200);
    return {
      orders: costs(orders),
      cold: costs(cold),
      warm: costs(warm),
      isStored: cold.body === warm.body,
    };
  });
}

/** @returns the header fields of whoever has signed in: a bearer where the answer has a token, else the cookie. */
export async function signIn(app: RunningApp): Promise<Record<string, string>> {
  const { body, headers } = await app.ask("/login", { method: "POST" });
  const { token } = JSON.parse(body) as { token?: string };
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  // Of several for one name a browser keeps the last.
  return { cookie: headers.getSetCookie().at(-1)?.split(";")[0] ?? "" };
}

const costs = ({ before, calls, commands }: Counts): Counts => ({ before, calls, commands });

function expectStatus(answer: Answer, status: number): void {
  if (answer.status !== status) throw new Error(`${answer.status} in place of ${status}: ${answer.body}`);
}

/**
 * What two rounds in a row agree on. On a busy machine what one request writes after its answer may be counted as the next one's, and a
 * window may begin in between; neither does so twice.
 */
async function steady<Found>(measure: (round: number) => Promise<Found>): Promise<Found> {
  let last = await measure(0);
  for (let round = 1; round < 6; round += 1) {
    const next = await measure(round);
    if (JSON.stringify(next) === JSON.stringify(last)) return next;
    last = next;
  }
  throw new Error(`No two rounds agree: ${JSON.stringify(last)}`);
}
