import type { Counts } from "./counts.ts";
import {
  type BucketsMs,
  cacheAnswers,
  type Family,
  LIMIT_COLUMNS,
  limitChecks,
  originAnswers,
  requests,
  savedBytes,
  sessionChanges,
  sessionRefusals,
  storeCalls,
  storeCommands,
  storeLosses,
  verdicts,
} from "./families.ts";
import { timesIn } from "./minutes.ts";

/** Callers that an overview names. */
const TOP_CALLERS = 50;

type Numbers = readonly number[];

/** What a console shows of counts. Approximate where it says so; never negative. */
export function overviewOf(counts: Counts) {
  return {
    totals: totalsOf(counts),
    routes: routesOf(counts),
    policies: policiesOf(counts),
    denied_callers: counts.denied
      .top(TOP_CALLERS)
      .map(([caller, [denied]]) => ({ caller: `hash:${caller}`, denied, approximate: true as const })),
  };
}

/** The number at a place; a count that a snapshot has more of is none. */
const at = (numbers: Numbers, index = 0) => Math.max(0, numbers[index] ?? 0);

function rows(counts: Counts, family: Family): [labels: string[], numbers: Numbers][] {
  return [...counts.of(family)];
}

function sum(counts: Counts, family: Family, index = 0, isMeant: (labels: string[]) => boolean = () => true) {
  return rows(counts, family).reduce(
    (all, [labels, numbers]) => all + (isMeant(labels) ? at(numbers, index) : 0),
    0,
  );
}

const times = ({ bucketsMs = [] }: Family, numbers: Numbers) =>
  Math.max(0, timesIn(bucketsMs.length, numbers));

function totalsOf(counts: Counts) {
  const byStatus: Record<string, number> = {};
  for (const [[, , status = ""], numbers] of rows(counts, requests)) {
    const kind = /^[1-5]\d\d$/.test(status) ? `${status[0]}xx` : "other";
    byStatus[kind] = (byStatus[kind] ?? 0) + times(requests, numbers);
  }
  const cached = (result: string) => sum(counts, cacheAnswers, 0, ([, each]) => each === result);
  const changed = (change: string) => sum(counts, sessionChanges, 0, ([each]) => each === change);
  const calls = rows(counts, storeCalls).map(
    ([[failure], numbers]) => [failure, times(storeCalls, numbers)] as const,
  );
  return {
    requests: Object.values(byStatus).reduce((all, each) => all + each, 0),
    by_status: byStatus,
    limits: {
      allowed: sum(counts, limitChecks, LIMIT_COLUMNS.within),
      near: sum(counts, limitChecks, LIMIT_COLUMNS.near),
      denied: sum(counts, limitChecks, LIMIT_COLUMNS.over),
      shadow: sum(counts, limitChecks, LIMIT_COLUMNS.shadow),
    },
    cache: {
      hit: cached("hit"),
      stale: cached("stale"),
      revalidated: cached("revalidated"),
      miss: cached("miss"),
      bypass: cached("bypass"),
      bytes_saved: sum(counts, savedBytes),
    },
    sessions: {
      created: changed("created"),
      rotated: changed("rotated"),
      ended: changed("ended"),
      ended_user: changed("ended_user"),
      ended_everyone: changed("ended_everyone"),
      refused: sum(counts, sessionRefusals),
    },
    store: {
      calls: calls.reduce((all, [, each]) => all + each, 0),
      commands: sum(counts, storeCommands),
      failures: calls.reduce((all, [failure, each]) => all + (failure ? each : 0), 0),
      lost: sum(counts, storeLosses),
    },
  };
}

/** The busiest first. */
function routesOf(counts: Counts) {
  const byRoute = new Map<string, { requests: number; errors: number; origin: number[] }>();
  for (const [[route = "", , status = ""], numbers] of rows(counts, requests)) {
    const known = byRoute.get(route) ?? { requests: 0, errors: 0, origin: [] };
    byRoute.set(route, known);
    const answered = times(requests, numbers);
    known.requests += answered;
    if (status.startsWith("5")) known.errors += answered;
  }
  for (const [[route = ""], numbers] of rows(counts, originAnswers)) {
    const origin = byRoute.get(route)?.origin;
    if (origin)
      for (let index = 0; index < numbers.length; index += 1)
        origin[index] = (origin[index] ?? 0) + at(numbers, index);
  }
  const bounds = originAnswers.bucketsMs ?? [];
  return [...byRoute]
    .filter(([, { requests: all }]) => all > 0)
    .map(([route, { requests: all, errors, origin }]) => ({
      route,
      requests: all,
      errors,
      denied: sum(
        counts,
        verdicts,
        0,
        ([one, verdict]) => one === route && verdict === "rate_limit_exceeded",
      ),
      hit: sum(counts, cacheAnswers, 0, ([one, result]) => one === route && result === "hit"),
      origin_p50_ms: quantile(bounds, origin, 0.5),
      origin_p95_ms: quantile(bounds, origin, 0.95),
    }))
    .sort((one, other) => other.requests - one.requests);
}

/** Those that denied most first. `source`: requests by who counted them. */
function policiesOf(counts: Counts) {
  const byPolicy = new Map<string, ReturnType<typeof emptyPolicy>>();
  for (const [[route = "", policy = "", source = ""], numbers] of rows(counts, limitChecks)) {
    if (at(numbers, LIMIT_COLUMNS.total) === 0) continue;
    const name = JSON.stringify([route, policy]);
    const known = byPolicy.get(name) ?? emptyPolicy(route, policy);
    byPolicy.set(name, known);
    known.allowed += at(numbers, LIMIT_COLUMNS.within);
    known.near += at(numbers, LIMIT_COLUMNS.near);
    known.denied += at(numbers, LIMIT_COLUMNS.over);
    known.shadow += at(numbers, LIMIT_COLUMNS.shadow);
    if (source in known.source)
      known.source[source as keyof typeof known.source] += at(numbers, LIMIT_COLUMNS.total);
  }
  return [...byPolicy.values()].sort((one, other) => other.denied - one.denied || other.near - one.near);
}

function emptyPolicy(route: string, policy: string) {
  const source = { redis: 0, lease: 0, block: 0, local: 0 };
  return { route, policy, allowed: 0, near: 0, denied: 0, shadow: 0, source };
}

/**
 * Where a part of what a histogram counted lies, in whole ms, as if each bucket's were spread evenly; what lies beyond the last bound is
 * told as that. Null where nothing was counted.
 */
export function quantile(boundsMs: BucketsMs, numbers: Numbers, part: number): number | null {
  const all = timesIn(boundsMs.length, numbers);
  if (all <= 0) return null;
  let below = 0;
  for (const [index, bound] of boundsMs.entries()) {
    const here = at(numbers, index);
    if (here > 0 && below + here >= part * all) {
      const from = boundsMs[index - 1] ?? 0;
      return Math.round(from + ((bound - from) * (part * all - below)) / here);
    }
    below += here;
  }
  return boundsMs.at(-1) ?? null;
}
