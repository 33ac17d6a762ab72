import { type Cell, capabilities, type Phase, percentile, phases, statusWords } from "./cells.ts";
import type { FaultResult } from "./matrix.ts";
import { lateReport } from "./streams/late.ts";

/** RESULTS.md: one line per fault, then every cell. */
export function matrixReport(results: readonly FaultResult[], seed: number): string {
  const missed = results.filter(({ misses }) => misses.length > 0);
  const lines = [
    "# What faults do to the edge",
    "",
    `Made by \`npm run chaos\` (seed ${seed}): the built Worker in workerd, a fault proxy, the local Upstash endpoint, a`,
    "real redis-server, an origin that is well. Each fault meets limits, sessions, cache and gateway at once, under even",
    "traffic before, during and after it; then a new isolate is started and asked for all that should still be true.",
    "",
    "- *noticed*: from the fault's start to the breaker's opening. *recovered*: from the fault's end to the store being",
    "  found again; the first probe after the end must find it, and there is never more than one at a time.",
    "- *waited*: calls that reached the store's address, probes left out, after the third failed batch and while the fault",
    "  lasted, of so many requests in that time.",
    "- *then p50 / p99*: whole time of those requests at the client, added to the p50 / p99 before the fault.",
    "- *over*: admitted above what an exact limiter admits (ten of each client's twelve, whoever counts).",
    "- *lost*: sessions that should be honoured and were not. *wrong*: bodies of somebody or something else, ended",
    "  sessions that were honoured. *double*: units charged, sessions made, requests forwarded more than once.",
    "- Sessions that were only in a Redis that lost its data are over, and counted as *excused*.",
    "- Counts decide whether a fault passes. Times are of this machine, with client, proxy and Redis on its two cores.",
    "",
    missed.length === 0
      ? `All ${results.length} faults passed.`
      : `**${missed.length} of ${results.length} faults missed something.**`,
    ...slowerLine(results),
    "",
    "| fault | what happens | noticed | recovered | waited | then p50 / p99 added | probes | 5xx | over | lost | wrong | double | excused | unhandled |",
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ...results.map(summaryRow),
    "",
    ...missed.flatMap(({ fault, misses }) => [`- **${fault.name}** missed: ${misses.join("; ")}`]),
    ...(missed.length > 0 ? [""] : []),
    "## Every cell",
    "",
    "Times are added to the same capability's before the fault, ms; in the rows *before* they are whole times.",
    "",
  ];
  for (const result of results) lines.push(...faultSection(result));
  return `${lines.join("\n")}\n`;
}

function summaryRow(result: FaultResult): string {
  const { fault, cells, noticedMs, recoveredMs, waited, probes, unhandled, excused } = result;
  const all = capabilities.flatMap((name) => phases.map((phase) => cells[name][phase]));
  const sum = (column: keyof Cell["tally"]) => all.reduce((total, { tally }) => total + tally[column], 0);
  const errors = all.flatMap(({ samples }) => samples).filter((each) => each.status >= 500 && !each.closed);
  return row([
    fault.name,
    fault.what,
    ms(noticedMs, "stays closed"),
    ms(recoveredMs, "–"),
    noticedMs === null ? "–" : `${waited} of ${result.afterNotice.length}`,
    noticedMs === null ? "–" : thenAdded(result),
    `${probes.probes}`,
    `${errors.length}`,
    `${sum("over")}`,
    `${sum("lost")}`,
    `${sum("wrong")}`,
    `${sum("double")}`,
    `${excused}`,
    `${unhandled}`,
  ]);
}

function thenAdded(result: FaultResult): string {
  const [before, then] = timesOf(result);
  return `${added(then, before, 0.5)} / ${added(then, before, 0.99)} ms`;
}

function timesOf({ afterNotice, cells }: FaultResult): [before: number[], then: number[]] {
  const before = capabilities.flatMap((name) => cells[name].before.samples).map((each) => each.ms);
  return [before, afterNotice.map((each) => each.ms)];
}

/** ms by which the p99 may rise while the breaker is open. */
const MAX_ADDED_MS = 5;

function slowerLine(results: readonly FaultResult[]): string[] {
  const noticed = results.filter(({ noticedMs }) => noticedMs !== null);
  const slower = noticed.filter((result) => {
    const [before, then] = timesOf(result);
    return (percentile(then, 0.99) ?? 0) - (percentile(before, 0.99) ?? 0) > MAX_ADDED_MS;
  });
  const names = slower.length === 0 ? "" : `: ${slower.map(({ fault }) => fault.name).join(", ")}`;
  return [
    `Of the ${noticed.length} that opened the breaker, ${slower.length} had a p99 more than ${MAX_ADDED_MS} ms above that of before${names}.`,
  ];
}

function faultSection({ fault, cells, late }: FaultResult): string[] {
  return [
    `### ${fault.name}: ${fault.what}`,
    "",
    "| | | statuses | p50 | p99 | over | lost | wrong | double |",
    "|---|---|---|---|---|---|---|---|---|",
    ...capabilities.flatMap((name) =>
      phases.map((phase) => cellRow(name, phase, cells[name][phase], cells[name].before)),
    ),
    "",
    ...(late ? lateReport(fault.name, late) : []),
  ];
}

function cellRow(name: string, phase: Phase, { samples, tally }: Cell, before: Cell): string {
  const times = samples.map((each) => each.ms);
  const base = phase === "before" ? [] : before.samples.map((each) => each.ms);
  return row([
    name,
    phase,
    statusWords(samples),
    added(times, base, 0.5),
    added(times, base, 0.99),
    `${tally.over}`,
    `${tally.lost}`,
    `${tally.wrong}`,
    `${tally.double}`,
  ]);
}

function added(times: readonly number[], base: readonly number[], part: number): string {
  const value = percentile(times, part);
  if (value === null) return "–";
  const difference = value - (percentile(base, part) ?? 0);
  return `${base.length > 0 && difference >= 0 ? "+" : ""}${difference.toFixed(1)}`;
}

const ms = (value: number | null, none: string) => (value === null ? none : `${Math.round(value)} ms`);
const row = (columns: readonly string[]) => `| ${columns.join(" | ")} |`;
