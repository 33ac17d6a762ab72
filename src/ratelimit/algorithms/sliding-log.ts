import { hex } from "../../runtime/hex.ts";
import { countIn, listIn } from "../../store/replies.ts";
import type { Algorithm, ParseContext, PendingUnits, Quota } from "./algorithm.ts";

/** Units taken at one moment, ms since the epoch. */
export interface Run {
  at: number;
  units: number;
}

/** Runs in the order of time. Those read from Redis are a summary that never understates how long a unit counts. */
export interface LogCounts {
  runs: readonly Run[];
}

const RUN_BYTES = 40;

const pendingLog: PendingUnits<LogCounts> = {
  add: (quota, before, now, units) => take(quota, before ?? { runs: [] }, now, units),
  join: (before, since) => ({ runs: [...before.runs, ...since.runs] }),
  coarser({ runs }, moments) {
    const over = runs.length - moments;
    const kept = runs[over];
    if (over <= 0 || !kept) return { runs };
    return { runs: [{ at: kept.at, units: unitsOf(runs.slice(0, over + 1)) }, ...runs.slice(over + 1)] };
  },
  units: (quota, pending, now) => unitsOf(logAt(quota, pending, now).runs),
  lapsesAt,
  bytes,
};

/** Every unit by its own moment: exact in any trailing window, one member of a sorted set per unit. */
export const slidingLog: Algorithm<LogCounts> = {
  empty: () => ({ runs: [] }),
  at: logAt,
  used: (_, { runs }) => unitsOf(runs),
  passesAt({ limit, windowMs }, { runs }, now, units) {
    let toLapse = unitsOf(runs) + units - limit;
    for (const run of runs) {
      toLapse -= run.units;
      if (toLapse <= 0) return run.at + windowMs;
    }
    return now;
  },
  take,
  lapsesAt,
  stricter: (quota, one, other, now) => ({
    runs: mergedRuns(logAt(quota, one, now).runs, logAt(quota, other, now).runs),
  }),
  bytes,
  windowSeconds: ({ windowMs }) => Math.ceil(windowMs / 1000),
  refills: false,
  pending: pendingLog,
  keys: (keys, { policy, caller }) => [keys.exactLog(policy.id, caller)],
  lua: {
    keys: 1,
    strings: false,
    arguments: 1,
    read: `
  redis.call("ZREMRANGEBYSCORE", l.key, "-inf", string.format("%.0f", now - l.window))
  l.used = redis.call("ZCARD", l.key)
  l.room = l.limit - l.used`,
    // Scores are returned as strings: a reply has no fractions.
    write: `
  local oldest, freeing, newest = ARGV[1], ARGV[1], ARGV[1]
  local function score(rank) return redis.call("ZRANGE", l.key, rank, rank, "WITHSCORES")[2] end
  if l.used > 0 then oldest = score(0) end
  if l.taken > 0 then
    local members = {}
    for unit = 1, l.taken do
      members[#members + 1] = ARGV[1]
      members[#members + 1] = l[1] .. ":" .. unit
      if #members == 200 or unit == l.taken then
        redis.call("ZADD", l.key, unpack(members))
        members = {}
      end
    end
    redis.call("PEXPIRE", l.key, string.format("%.0f", l.window + 1000))
  elseif l.used > 0 then
    freeing = oldest
    local rank = math.min(l.used + l.cost - l.limit, l.used) - 1
    if rank > 0 then freeing = score(rank) end
    newest = score(-1)
  end
  return { l.taken, l.used + l.taken, oldest, freeing, newest }`,
  },
  /** A nonce that makes the members unique. */
  arguments: (_, randomBytes) => [hex(randomBytes(8))],
  parse: ([used = 0, oldest = 0, freeing = 0, newest = 0], context) => ({
    runs: summary(used, context, { oldest, freeing, newest }),
  }),
  async read(batch, [name = ""], { windowMs }, now) {
    const after = `(${now - windowMs}` as const;
    const [count, first] = await Promise.all([
      batch.queue((pipeline) => pipeline.zcount(name, after, "+inf")),
      batch.queue((pipeline) =>
        pipeline.zrange(name, after, "+inf", { byScore: true, offset: 0, count: 1, withScores: true }),
      ),
    ]);
    const [, oldest = now] = listIn(first);
    const units = countIn(count);
    return { runs: units > 0 ? [{ at: Number(oldest), units }] : [] };
  },
};

function logAt({ windowMs }: Quota, { runs }: LogCounts, now: number): LogCounts {
  return { runs: runs.filter((run) => run.at > now - windowMs) };
}

function take(quota: Quota, counts: LogCounts, now: number, units: number): LogCounts {
  const { runs } = logAt(quota, counts, now);
  const last = runs.at(-1);
  return {
    runs:
      last && last.at >= now
        ? [...runs.slice(0, -1), { at: last.at, units: last.units + units }]
        : [...runs, { at: now, units }],
  };
}

/** Since any moment as many units as the one of two logs has that has more since then. */
function mergedRuns(one: readonly Run[], other: readonly Run[]): Run[] {
  const runs: Run[] = [];
  const views = [one, other].map((all) => ({ rest: [...all], units: 0 }));
  for (let units = 0; ; ) {
    const at = Math.max(...views.map(({ rest }) => rest.at(-1)?.at ?? Number.NEGATIVE_INFINITY));
    if (at === Number.NEGATIVE_INFINITY) return runs.reverse();
    for (const view of views) while (view.rest.at(-1)?.at === at) view.units += view.rest.pop()?.units ?? 0;
    const since = Math.max(...views.map((view) => view.units));
    if (since > units) runs.push({ at, units: since - units });
    units = since;
  }
}

function lapsesAt({ windowMs }: Quota, { runs }: LogCounts, now: number): number {
  return (runs.at(-1)?.at ?? now) + windowMs;
}

function bytes({ runs }: LogCounts): number {
  return RUN_BYTES * runs.length;
}

function unitsOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + run.units, 0);
}

/**
 * A log of `used` units from three of its scores: the oldest, the one whose lapse lets the cost pass, and the newest. The
 * units between are taken to be as young as the younger of the two: they may seem to count longer than they do, never
 * shorter. The moments that clients are told (the oldest and the freeing one) are exact.
 */
function summary(
  used: number,
  { quota, cost, taken }: ParseContext,
  { oldest, freeing, newest }: { oldest: number; freeing: number; newest: number },
): Run[] {
  // A cost above the limit passes by no lapse: the newest unit stands for it.
  const rank = taken > 0 ? 0 : Math.max(0, Math.min(used + cost - quota.limit, used) - 1);
  const runs = [
    { at: oldest, units: Math.min(1, used) },
    { at: freeing, units: rank },
    { at: newest, units: used - 1 - rank },
  ];
  return runs.filter((run) => run.units > 0);
}
