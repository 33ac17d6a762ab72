import { dice } from "../support/dice.ts";
import {
  type Cells,
  capabilities,
  emptyCells,
  type Phase,
  percentile,
  type Sample,
  serverErrors,
} from "./cells.ts";
import { type Fault, faults } from "./faults.ts";
import { type ProxyCounts, pause } from "./proxy.ts";
import { CacheStream } from "./streams/cache.ts";
import { GatewayStream } from "./streams/gateway.ts";
import { type LateCounts, LateReplies, lateMisses } from "./streams/late.ts";
import { LimitsStream } from "./streams/limits.ts";
import { SessionsStream } from "./streams/sessions.ts";
import { uncaughtErrors } from "./uncaught.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

export interface MatrixOptions {
  /** Default 1. */
  seed?: number;
  /** Names of faults. Default all. */
  only?: readonly string[];
  /** Length of each phase, ms. */
  phaseMs?: Record<Phase, number>;
  /** Requests of each capability in a second. Default 40. */
  rate?: number;
  /** Called with a line when a fault is done. */
  progress?(line: string): void;
}

/** The outcome of one fault. */
export interface FaultResult {
  fault: Fault;
  cells: Cells;
  /** From the fault's start until the breaker opened, ms; null: it stayed closed. */
  noticedMs: number | null;
  /** From the fault's end until the store was found again, ms; null: there was nothing to find, or it was not found. */
  recoveredMs: number | null;
  /** Calls to the store, other than probes, that came after the third failed batch, while the fault lasted. */
  waited: number;
  /** Requests that started after the third failed batch, while the fault lasted. */
  afterNotice: Sample[];
  probes: ProxyCounts;
  unhandled: number;
  /** Requests that were decided without the store. */
  without: number;
  /** Redis keys without a lifetime. */
  immortal: number;
  /** Sessions that ended because Redis lost its data. */
  excused: number;
  /** Of a fault that answers late: what became of calls that were given up. */
  late: LateCounts | null;
  /** Violations; empty: the fault passed. */
  misses: string[];
}

/** The subset for a quick run. */
export const quickFaults = ["refuse", "reset-after", "hang", "failing-item", "readonly", "redis-killed"];

const usual = { before: 1500, during: 3000, after: 2000 };
const SHIFTED = "test/chaos/workers/shifted-clock.ts";
const MAX_SEARCH_MS = 40_000;
/**
 * ms: a call that arrives after the breaker has opened may have been sent before. Calls that were given up hold their
 * connections until then, so that those behind them connect anew.
 */
const MARGIN_MS = 50;

/** Runs each fault against the built Worker under load. Times are reported; only counts decide. */
export async function runMatrix(options: MatrixOptions = {}): Promise<FaultResult[]> {
  const { seed = 1, only, progress = () => {} } = options;
  const chosen = faults.filter(({ name }) => !only || only.includes(name));
  const results: FaultResult[] = [];
  for (const inTurn of Map.groupBy(chosen, (fault) => JSON.stringify(worldOf(fault))).values()) {
    const [first] = inTurn;
    const world = await openWorld(first && worldOf(first));
    try {
      for (const fault of inTurn) {
        const result = await runFault(world, fault, { ...options, seed: seed * 1000 + results.length });
        results.push(result);
        progress(`${results.length}/${chosen.length} ${summary(result)}`);
      }
    } finally {
      await world.stop();
    }
  }
  return results;
}

function worldOf({ movesClock, vars }: Fault): WorldOptions {
  return { ...(movesClock && { entry: SHIFTED }), ...(vars && { vars }) };
}

async function runFault(world: World, fault: Fault, options: MatrixOptions): Promise<FaultResult> {
  const { seed = 1, phaseMs = usual } = options;
  const rate = Math.min(options.rate ?? 40, fault.maxRate ?? Number.POSITIVE_INFINITY);
  const { proxy, edge, upstash } = world;
  const cells = emptyCells();
  const chance = dice(seed);
  const requests = {
    before: Math.round((phaseMs.before * rate) / 1000),
    during: Math.round((phaseMs.during * rate) / 1000),
    after: Math.round((phaseMs.after * rate) / 1000),
  };
  const common = { world, cells, dice: chance, run: `${fault.name}-${seed}`, requests };
  const limits = new LimitsStream(common);
  const sessions = new SessionsStream({ ...common, losesData: fault.losesData ?? false });
  const gateway = new GatewayStream(common);
  const streams = [limits, sessions, new CacheStream(common), gateway];
  const late = fault.answersLate ? new LateReplies(world, common.run) : null;
  let logFrom = edge.log.length;
  const lines = () => edge.log.slice(logFrom);
  const lost = () => lines().filter(({ event }) => event === "store.lost");
  const found = () => lines().filter(({ event }) => event === "store.found");
  const search = async (phase: Phase) => {
    const until = Date.now() + MAX_SEARCH_MS;
    while (lost().length > found().length && Date.now() < until) {
      await gateway.post(phase);
      await pause(50);
    }
  };
  const run = async (phase: Phase) => {
    await Promise.all(streams.map((stream) => spread(stream.requests(phase), phaseMs[phase])));
    limits.settle(phase);
  };

  await upstash.redis.command("FLUSHALL");
  const printedFrom = edge.printed.length;
  for (const stream of streams) await stream.prepare();
  await late?.prepare();
  await run("before");
  // A busy machine can miss a deadline without a fault.
  await search("before");
  await late?.ready();
  logFrom = edge.log.length;

  proxy.forget();
  proxy.begin();
  const startedAt = Date.now();
  if (fault.startsFirst) await fault.start(world, chance);
  const traffic = run("during");
  if (!fault.startsFirst) await fault.start(world, chance);
  await Promise.all([traffic, late?.during()]);
  await fault.stop(world);
  proxy.lift(fault.afterwards);
  const stoppedAt = Date.now();
  await run("after");

  await search("after");
  // An isolate takes its pending writes with it. On a busy machine they take longer.
  const unwritten = () => Number(lines().findLast(({ event }) => event === "session.replayed")?.left ?? 0);
  const retried = fault.retriedWithinMs ?? 0;
  for (let waited = 0; waited < retried || (unwritten() > 0 && waited < MAX_SEARCH_MS); waited += 250) {
    await gateway.post("after");
    await pause(250);
  }
  const probes = { ...proxy.counts };
  // Pending writes are done by now. A new isolate knows only what Redis holds.
  await pause(200);
  const immortal = Number(await upstash.redis.command("EVAL", WITHOUT_TTL, "0"));
  proxy.lift();
  await edge.restart();
  for (const stream of streams) await stream.finish();
  const lateCounts = (await late?.finish()) ?? null;
  await pause(100);

  const lostAt = timeOf(lost()[0]);
  const foundAt = timeOf(found().at(-1));
  const unhandled = uncaughtErrors(edge.printed.slice(printedFrom)).length;
  // A restarted Redis is found before the restart returns here. One that answers only PING is never found.
  const firstFoundAt = fault.mostWaits ? null : timeOf(found()[0]);
  const until = Math.min(stoppedAt, firstFoundAt ?? stoppedAt);
  const afterNotice = lostAt === null ? [] : startedBetween(cells, lostAt + MARGIN_MS, until);
  const waited =
    lostAt === null ? 0 : probes.others.filter((at) => at > lostAt + MARGIN_MS && at < until).length;
  const without = lines().filter(
    ({ event, limits }) => event === "request" && / by memory$/.test(String(limits)),
  );
  const facts = {
    fault,
    cells,
    noticedMs: lostAt === null ? null : lostAt - startedAt,
    recoveredMs: foundAt === null || lostAt === null ? null : foundAt - stoppedAt,
    waited,
    afterNotice,
    probes,
    unhandled,
    without: without.length,
    immortal,
    excused: sessions.excused,
    late: lateCounts,
  };
  return { ...facts, misses: missesOf(facts) };
}

/** Sends requests at even intervals, without waiting for earlier answers. */
async function spread(requests: (() => Promise<void>)[], ms: number): Promise<void> {
  const from = performance.now();
  const sent: Promise<void>[] = [];
  for (const [index, request] of requests.entries()) {
    const due = from + (index * ms) / requests.length - performance.now();
    if (due > 1) await pause(due);
    sent.push(request());
  }
  const left = from + ms - performance.now();
  if (left > 0) await pause(left);
  await Promise.all(sent);
}

function startedBetween(cells: Cells, from: number, until: number): Sample[] {
  return capabilities
    .flatMap((name) => cells[name].during.samples)
    .filter(({ startedAt, ms }) => startedAt > from && startedAt + ms < until);
}

function missesOf(facts: Omit<FaultResult, "misses">): string[] {
  const { fault, cells, noticedMs, recoveredMs, waited, probes, unhandled, immortal, without, late } = facts;
  const misses: string[] = [];
  const miss = (wrong: boolean, what: string) => {
    if (wrong) misses.push(what);
  };
  for (const name of capabilities) {
    for (const [phase, { samples, tally, notes }] of Object.entries(cells[name])) {
      const at = `${name}, ${phase}`;
      miss(serverErrors(samples) > 0, `${at}: ${serverErrors(samples)} × 5xx`);
      for (const column of ["lost", "wrong", "double"] as const) {
        const words = notes.filter((note) => note.startsWith(`${column}:`)).join("; ");
        miss(tally[column] > 0, `${at}: ${tally[column]} × ${words}`);
      }
      miss(phase === "before" && tally.over > 0, `${at}: ${tally.over} over-admitted without a fault`);
    }
  }
  miss(fault.breaker === "opens" && noticedMs === null, "the breaker stayed closed");
  miss(fault.breaker === "stays closed" && noticedMs !== null, "the breaker opened");
  miss(noticedMs !== null && recoveredMs === null, "the store was not found again");
  const mostWaits = fault.mostWaits ?? 0;
  miss(waited > mostWaits, `${waited} calls after the third failed batch, not ${mostWaits}`);
  miss(Boolean(fault.neverWithout) && without > 0, `${without} requests were decided without the store`);
  miss(probes.mostProbesAtOnce > 1, `${probes.mostProbesAtOnce} probes at once`);
  miss(recoveredMs !== null && probes.probesSinceLifted > 1, `${probes.probesSinceLifted} probes to recover`);
  miss(unhandled > 0, `${unhandled} unhandled rejections`);
  miss(immortal > 0, `${immortal} Redis keys without a lifetime`);
  return late ? [...misses, ...lateMisses(late)] : misses;
}

function summary(result: FaultResult): string {
  const { fault, misses, noticedMs, recoveredMs, afterNotice } = result;
  const ms = (value: number | null) => (value === null ? "–" : `${Math.round(value)} ms`);
  const p99 = ms(
    percentile(
      afterNotice.map((each) => each.ms),
      0.99,
    ),
  );
  const verdict = misses.length === 0 ? "ok" : `MISSED: ${misses.join(" | ")}`;
  return `${fault.name}: noticed ${ms(noticedMs)}, recovered ${ms(recoveredMs)}, then p99 ${p99}: ${verdict}`;
}

function timeOf(line: Record<string, unknown> | undefined): number | null {
  return line ? Date.parse(String(line.time)) : null;
}

const WITHOUT_TTL = `
local count = 0
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then count = count + 1 end
end
return count`;
