import type { ContestantName } from "./contestants.ts";
import type { Harness } from "./harness.ts";
import { load } from "./load.ts";
import { percentile } from "./percentile.ts";
import { rows } from "./rows.ts";

export interface Outage {
  state: "refused" | "hanging";
  name: ContestantName;
  /** ms, of the same requests while the store works. */
  healthy: { p50: number; p99: number };
  /** ms, of requests that start after the third failed batch. */
  lost: { p50: number; p99: number };
  statuses: string;
  requests: number;
}

const CONTESTANTS: readonly ContestantName[] = ["edge", "recipe", "tuned", "composed"];
/** Fewer requests for contestants that wait for seconds. */
const REQUESTS: Partial<Record<ContestantName, number>> = { edge: 400, tuned: 80 };

/** The longest that a call of the edge takes, ms, and a little more: three times `STORE_DEADLINE_MS`. */
const CEILING_MS = 1300;

/** Cold GETs while the store refuses connections, and while it accepts them and never answers. */
export async function measureOutages(harness: Harness, say: (line: string) => void): Promise<Outage[]> {
  const row = rows.find(({ name }) => name === "cold GET");
  if (!row) throw new Error("There is no cold GET");
  const outages: Outage[] = [];
  for (const state of ["refused", "hanging"] as const) {
    for (const name of CONTESTANTS) {
      const contestant = harness.contestants.get(name);
      if (!contestant) continue;
      await harness.wire.set("well");
      await contestant.restart();
      const ask = (requests: number, clients = 4) =>
        load({ port: contestant.port, clients, requests, request: (n) => row.request(contestant, n) });
      await ask(40);
      const healthy = await ask(400);
      await harness.wire.set(state);
      // After three failed batches no request should wait. A batch that nobody waits for any more has failed at its ceiling.
      for (let n = 0; n < 3; n += 1) await ask(1, 1);
      await new Promise((resolve) => setTimeout(resolve, CEILING_MS));
      const requests = REQUESTS[name] ?? 4;
      const lost = await ask(requests);
      outages.push({
        state,
        name,
        healthy: { p50: percentile(healthy.times, 0.5), p99: percentile(healthy.times, 0.99) },
        lost: { p50: percentile(lost.times, 0.5), p99: percentile(lost.times, 0.99) },
        statuses: [...lost.statuses].map(([status, count]) => `${status} × ${count}`).join(", "),
        requests,
      });
      say(`${state}: ${name}`);
    }
  }
  await harness.wire.set("well");
  for (const contestant of harness.contestants.values()) await contestant.restart();
  return outages;
}
