import { ratioOfSamples, type Sample } from "./blocks.ts";
import type { ContestantName } from "./contestants.ts";
import { growthBound } from "./growing.ts";
import { ratioText } from "./interval.ts";
import { dollarsOfMix, MAX_DOLLARS } from "./mix.ts";
import { type Estimate, estimate } from "./percentile.ts";
import { cellOf, counted, ms } from "./read.ts";
import type { Results } from "./results.ts";
import { atLeast, atMost, atMostBeside, exactly, type Verdict } from "./verdict.ts";

export interface Target {
  what: string;
  measured: string;
  verdict: Verdict;
}

const perSecond = ({ perSecond: rates }: Sample) => rates;
const cpuMs = ({ cpuMs: each }: Sample) => [each];

/** The targets of the bench. Those that queueing decides are measured at one client, ratios in alternating blocks. */
export function targetsOf(results: Results): Target[] {
  return [
    ...counts(results),
    ...latencies(results),
    ...ratios(results),
    ...growth(results),
    ...others(results),
  ];
}

/** The targets as a table; what is missed in bold. */
export function targetsTable(results: Results): string[] {
  return [
    "| target | measured | |",
    "|---|---|---|",
    ...targetsOf(results).map(({ what, measured, verdict }) =>
      verdict === "missed"
        ? `| **${what}** | **${measured}** | **missed** |`
        : `| ${what} | ${measured} | ${verdict} |`,
    ),
  ];
}

/** The most that a request of the edge may cost, by its row. */
const MAX_COUNTS = [
  { row: "cold GET", critical: 1, commands: 6 },
  { row: "cold GET, leased", critical: 1, commands: 2 },
  { row: "cold GET, eager", critical: 1, commands: 2 },
  { row: "hit in Redis", critical: 1, commands: 1 },
  { row: "POST", critical: 1, commands: 5 },
  { row: "warm GET", critical: 0, commands: 0.3 },
  { row: "blocked", critical: 0, commands: 0 },
  { row: "forged", critical: 0, commands: 0 },
] as const;

function counts(results: Results): Target[] {
  const most = (row: string, name: ContestantName, what: "critical" | "commands") =>
    counted(results, row, name, what).at(-1);
  const beside = (row: string, what: "critical" | "commands") => {
    const others = (["tuned", "recipe"] as const).flatMap((name) => {
      const count = most(row, name, what);
      return count === undefined ? [] : [`${name} ${count}`];
    });
    return others.length > 0 ? ` (${others.join(", ")})` : "";
  };
  const targets = MAX_COUNTS.flatMap(({ row, ...bounds }) =>
    (["critical", "commands"] as const).map((what): Target => {
      const found = most(row, "edge", what);
      const words = what === "critical" ? "calls before the answer" : "commands";
      return {
        what: `${row}: at most ${bounds[what]} ${words}`,
        measured: `${found}${beside(row, what)}`,
        verdict: exactly((found ?? Number.NaN) <= bounds[what]),
      };
    }),
  );
  const dollars = dollarsOfMix(results, "edge");
  targets.push({
    what: `a million requests of the mix: at most $${MAX_DOLLARS.toFixed(2)}`,
    measured: `$${dollars}`,
    verdict: exactly(Number(dollars) <= MAX_DOLLARS),
  });
  return results.counts.length > 0 ? targets : targets.map(notMeasured);
}

const notMeasured = (target: Target): Target => ({ ...target, measured: "–", verdict: "not measured" });

function latencies(results: Results): Target[] {
  const at = (row: string, name: ContestantName): Estimate =>
    estimate(
      (cellOf(results, row, name, 1, 20)?.runs ?? []).flatMap(({ times }) => times),
      0.5,
    );
  const cold = at("cold GET", "edge");
  const [floor, tuned] = [at("cold GET", "floor"), at("cold GET", "tuned")];
  const [warm, bare] = [at("warm GET", "edge"), at("warm GET", "bare")];
  const blocked = at("blocked", "edge");
  const eager = at("cold GET, eager", "edge");
  const pair = (one: Estimate, other: Estimate) => `${between(one)} and ${between(other)}`;
  const targets: Target[] = [
    {
      what: "cold, p50 at 20 ms: at most 1.2 × (round trip + floor)",
      measured: `${between(cold)}, ${(cold.value / (20 + floor.value)).toFixed(2)} × (20 + ${ms(floor.value)})`,
      verdict: atMostBeside(cold, floor, { times: 1.2, more: 1.2 * 20 }),
    },
    {
      what: "cold, p50 at 20 ms: no slower than tuned",
      measured: pair(cold, tuned),
      verdict: atMostBeside(cold, tuned),
    },
    {
      what: "cold, eager, p50 at 20 ms to the store, one client: at most max(S, O) + 7 ms (all distances: DISTANCE.md)",
      measured: between(eager),
      verdict: atMost(eager, 20 + 7),
    },
    {
      what: "warm, p50 at 20 ms: at most bare + 1 ms",
      measured: pair(warm, bare),
      verdict: atMostBeside(warm, bare, { more: 1 }),
    },
    {
      what: "blocked, p50 at 20 ms, one client: at most bare + 1 ms",
      measured: pair(blocked, bare),
      verdict: atMostBeside(blocked, bare, { more: 1 }),
    },
  ];
  return targets.map((target) => (target.verdict === "not measured" ? notMeasured(target) : target));
}

const between = ({ value, low, high }: Estimate) => `${ms(value)} ms [${ms(low)}, ${ms(high)}]`;

function ratios({ blocks }: Results): Target[] {
  const target = (
    what: string,
    [name, other]: [string, ContestantName],
    read: typeof perSecond,
    judge: typeof atMost,
    bound: number,
  ): Target => {
    const measured = blocks[name];
    if (!measured) return { what, measured: "–", verdict: "not measured" };
    const row = measured[0]?.[0]?.row ?? name;
    const ratio = ratioOfSamples(measured, row, ["edge", other], read);
    return { what, measured: ratioText(ratio), verdict: judge(ratio, bound) };
  };
  const held = "warm GET, 10,000 URLs";
  return [
    target("warm: more than floor's requests a second", ["warm GET", "floor"], perSecond, atLeast, 1),
    target("warm: at least 0.75 × bare's requests a second", ["warm GET", "bare"], perSecond, atLeast, 0.75),
    target(
      "the same with 10,000 URLs held: at least 0.75 × bare's",
      [held, "bare"],
      perSecond,
      atLeast,
      0.75,
    ),
    target(
      "the same, where the isolate has only just turned from misses to hits",
      [`${held}, young`, "bare"],
      perSecond,
      atLeast,
      0.75,
    ),
    target(
      "cold: at least 1.15 × tuned's requests a second",
      ["cold GET", "tuned"],
      perSecond,
      atLeast,
      1.15,
    ),
    target("cold: at most 0.9 × tuned's CPU", ["cold GET", "tuned"], cpuMs, atMost, 0.9),
    target("the same in a young isolate", ["cold GET, young", "tuned"], cpuMs, atMost, 0.9),
    target(
      "cold, 64 clients at 20 ms: at least 1.15 × tuned's requests a second",
      ["cold GET, 64 clients", "tuned"],
      perSecond,
      atLeast,
      1.15,
    ),
    target(
      "cold, 64 clients at 20 ms: at most 0.9 × tuned's CPU",
      ["cold GET, 64 clients", "tuned"],
      cpuMs,
      atMost,
      0.9,
    ),
    target("hit in Redis: at most 1.05 × tuned's CPU", ["hit in Redis", "tuned"], cpuMs, atMost, 1.05),
    target("POST: at most 1.05 × tuned's CPU", ["POST", "tuned"], cpuMs, atMost, 1.05),
    target("the same in a young isolate", ["POST, young", "tuned"], cpuMs, atMost, 1.05),
    target(
      "POST, 64 clients at 20 ms: at most 1.05 × tuned's CPU",
      ["POST, 64 clients", "tuned"],
      cpuMs,
      atMost,
      1.05,
    ),
  ];
}

function growth({ growing }: Results): Target[] {
  const [smallest] = growing;
  return (["warm", "fresh", "heapBytes"] as const).map((what): Target => {
    const names = { warm: "rate, warm", fresh: "rate, new callers and URLs", heapBytes: "heap" };
    const title = `${names[what]}: no worse than logarithmic in callers, URLs and routes`;
    if (!smallest) return { what: title, measured: "–", verdict: "not measured" };
    const each = growing.map((grown) => ({
      grown,
      times: what === "heapBytes" ? grown[what] / smallest[what] : smallest[what] / grown[what],
    }));
    const worst = each.reduce((one, other) =>
      other.times / growthBound(other.grown) > one.times / growthBound(one.grown) ? other : one,
    );
    const { known, routes } = worst.grown;
    return {
      what: title,
      measured: `${worst.times.toFixed(2)} × as ${what === "heapBytes" ? "large" : "long"} at ${known.toLocaleString("en")} and ${routes} routes, of at most ${growthBound(worst.grown).toFixed(0)}`,
      verdict: exactly(worst.times <= growthBound(worst.grown)),
    };
  });
}

function others({ outages, once }: Results): Target[] {
  const hanging = outages.find(({ state, name }) => state === "hanging" && name === "edge");
  const gzipped = once.find(({ name }) => name === "edge")?.gzipped;
  return [
    {
      what: "hanging store, after the third failed batch: p99 at most 1.1 × healthy",
      measured: hanging ? `${ms(hanging.lost.p99)} and ${ms(hanging.healthy.p99)} ms` : "–",
      verdict: hanging ? exactly(hanging.lost.p99 <= 1.1 * hanging.healthy.p99) : "not measured",
    },
    {
      what: "bundle: at most 130 KB gzipped",
      measured: gzipped === undefined ? "–" : `${(gzipped / 1000).toFixed(1)} KB`,
      verdict: gzipped === undefined ? "not measured" : exactly(gzipped <= 130_000),
    },
  ];
}
