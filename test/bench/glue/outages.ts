import { startWire } from "../compare/wire.ts";
import { signIn } from "./counts.ts";
import type { AppsProject } from "./project.ts";
import { MAX_WAIT_MS, type RunningApp, type Store, startApp } from "./running-app.ts";
import { appWays, limitWays, type Way } from "./ways.ts";

export interface Outage {
  way: Way;
  state: "hanging" | "refused";
  /** One request after the other, from the first one of the outage. */
  answers: readonly Attempt[];
}

export interface Attempt {
  /** 0: no answer within {@link MAX_WAIT_MS}. */
  status: number;
  ms: number;
}

const REQUESTS = 8;

/**
 * What a client gets, and after how long, when Redis accepts calls and never answers, and when it refuses connections. The apps are asked
 * at the same time, each over a connection of its own: most of the time all of them wait.
 */
export async function measureOutages(project: AppsProject, store: Store): Promise<Outage[]> {
  const outages: Outage[] = [];
  for (const state of ["hanging", "refused"] as const) {
    const ways = [...limitWays, ...appWays];
    const bundles: string[] = [];
    for (const { app } of ways) bundles.push((await project.bundle(app)).contents);
    const found = ways.map(async (way, index) => {
      const own = { ...store, wire: await startWire(store.upstash.url) };
      const app = await startApp(bundles[index] ?? "", own);
      const answers = await answersIn(app, state, own);
      await app.stop();
      await own.wire.stop();
      return { way, state, answers };
    });
    outages.push(...(await Promise.all(found)));
  }
  return outages;
}

async function answersIn(app: RunningApp, state: Outage["state"], { wire }: Store): Promise<Attempt[]> {
  const isApp = (await app.ask("/login", { method: "POST" })).status === 201;
  const headers: Record<string, string> = isApp ? await signIn(app) : { "x-tenant": state };
  for (let n = 0; n < 2; n += 1) await app.ask("/orders", { headers });
  await wire.set(state);
  const answers: Attempt[] = [];
  for (let n = 0; n < REQUESTS; n += 1) {
    const since = performance.now();
    const status = await app.ask("/orders", { headers }).then(
      (answer) => answer.status,
      () => 0,
    );
    answers.push({ status, ms: performance.now() - since });
  }
  return answers;
}
