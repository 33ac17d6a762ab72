import { cpus } from "node:os";
import type { ContestantName } from "./contestants.ts";
import type { Cell, Results } from "./full.ts";
import { MAX_WAIT_MS } from "./load.ts";
import { median, percentile } from "./percentile.ts";
import { rows } from "./rows.ts";
import { targetsOf } from "./targets.ts";

/** Dollars for one command at Upstash, pay as you go (upstash.com/pricing, 2026). */
export const DOLLARS_PER_COMMAND = 0.2 / 100_000;
/** The share of each row in the requests of an API whose answers are worth caching. */
export const MIX: Record<string, number> = {
  "cold GET": 0.1,
  "warm GET": 0.6,
  "hit in Redis": 0.1,
  POST: 0.15,
  blocked: 0.03,
  forged: 0.02,
};

export const p50 = ({ runs }: Cell) => median(runs.map(({ times }) => percentile(times, 0.5)));
export const p99 = ({ runs }: Cell) => median(runs.map(({ times }) => percentile(times, 0.99)));
export const perSecond = ({ runs }: Cell) => median(runs.map(({ times, seconds }) => times.length / seconds));
const cpu = ({ runs }: Cell) => median(runs.map(({ cpuMs }) => cpuMs));

/** (largest − smallest) / median of the rounds' rates. */
function spread({ runs }: Cell): number {
  const rates = runs.map(({ times, seconds }) => times.length / seconds);
  return (Math.max(...rates) - Math.min(...rates)) / median(rates);
}

export function cellOf(
  { cells }: Results,
  row: string,
  name: ContestantName,
  clients: number,
  roundTripMs: number,
): Cell | undefined {
  return cells.find(
    (cell) =>
      cell.row === row && cell.name === name && cell.clients === clients && cell.roundTripMs === roundTripMs,
  );
}

/** The different counts that a row's requests had, ascending. */
export function counted(
  { counts }: Results,
  row: string,
  name: ContestantName,
  what: "critical" | "calls" | "commands",
): number[] {
  const found = counts.find((each) => each.row === row && each.name === name);
  return [...new Set(found?.counts.map((each) => each[what]) ?? [])].sort((one, other) => one - other);
}

/** RESULTS.md. */
export function report(results: Results, versions: string): string {
  const { once, outages, seconds } = results;
  const targets = targetsOf(results);
  const lines = [
    "# The edge beside what people would use instead",
    "",
    `Made by \`npm run bench\` in ${Math.round(seconds / 60)} minutes: each Worker built as wrangler deploys it, in one Miniflare`,
    `(${versions}, Node ${process.versions.node}) on ${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}) that also run the client, the`,
    "origin, the local Upstash endpoint and a real redis-server. Runs alternate; figures are medians of two rounds, spread is",
    "(largest − smallest) / median of the rates. Calls and commands are exact: calls where they arrive, one request at a time,",
    "commands by the change of Redis's `INFO commandstats`, those inside scripts included. Ratios of rates have their 95 %",
    "interval: blocks of short alternating slices, with a restart of each Worker between blocks.",
    "",
    "- **bare**: a Hono Worker that answers a constant. **floor**: hono/proxy, nothing else.",
    "- **recipe**: Hono, @upstash/ratelimit and @upstash/redis as the vendor's examples have them: limit, then session, then",
    "  cache, the SDKs' defaults. **recipe, tuned**: the three at once, no retries, 400 ms, writes after the response.",
    "- **composed**: hono-rate-limiter with its Redis store, @hono/session over Upstash, hono/cache.",
    "- **edge** logs from warnings on, as the others log nothing; **edge-logging** writes its line for each request.",
    "",
    "## Targets",
    "",
    "| target | measured | |",
    "|---|---|---|",
    ...targets.map(({ what, measured, reached }) =>
      reached ? `| ${what} | ${measured} | reached |` : `| **${what}** | **${measured}** | **missed** |`,
    ),
    "",
    ...targets.flatMap(({ what, because }) => (because ? [`- **${what}**: ${because}`] : [])),
    "",
    "## Calls and commands of one request",
    "",
    "| request | Worker | calls that were over when the answer was | calls in all | commands |",
    "|---|---|---|---|---|",
    ...results.counts.map(({ row, name }) => {
      const words = (what: "critical" | "calls" | "commands") =>
        counted(results, row, name, what).join(" or ");
      return `| ${row} | ${name} | ${words("critical")} | ${words("calls")} | ${words("commands")} |`;
    }),
    "",
    ...dollars(results),
    "",
    "## Latency and rate",
    "",
    "In bold what is worse for the edge than for *tuned*.",
    "",
  ];
  for (const roundTripMs of [0, 20]) {
    for (const clients of [8, 64]) {
      lines.push(`### ${clients} clients, ${roundTripMs} ms to the store`, "");
      lines.push(
        "| request | Worker | p50 ms | p99 ms | requests/s | spread | CPU ms |",
        "|---|---|---|---|---|---|---|",
      );
      for (const row of rows) {
        for (const name of row.contestants) {
          const cell = cellOf(results, row.name, name, clients, roundTripMs);
          const tuned = cellOf(results, row.name, "tuned", clients, roundTripMs);
          if (cell) lines.push(latencyRow(cell, name === "edge" ? tuned : undefined));
        }
      }
      lines.push("");
    }
  }
  lines.push(
    "## The store refuses, or hangs",
    "",
    `Cold GETs, four clients, after three failed batches. Status 0: no answer within ${MAX_WAIT_MS / 1000} s.`,
    "",
    "| store | Worker | healthy p50 / p99 ms | lost p50 / p99 ms | statuses |",
    "|---|---|---|---|---|",
    ...outages.map(
      ({ state, name, healthy, lost, statuses }) =>
        `| ${state} | ${name} | ${ms(healthy.p50)} / ${ms(healthy.p99)} | ${ms(lost.p50)} / ${ms(lost.p99)} | ${statuses} |`,
    ),
    "",
    "## Once per Worker",
    "",
    "| Worker | bundle, gzipped | start-up (`wrangler check startup`), ms of CPU | isolate's heap, after so many warm requests |",
    "|---|---|---|---|",
    ...once.map(
      ({ name, requests, gzipped, heapBytes, startUpMs }) =>
        `| ${name} | ${(gzipped / 1000).toFixed(1)} KB | ${startUpMs === null ? "–" : ms(startUpMs)} | ${(heapBytes / 2 ** 20).toFixed(1)} MiB, ${requests.toLocaleString("en")} |`,
    ),
    "",
  );
  return lines.join("\n");
}

/** @param rival Figures that are worse than its figures are bold. */
function latencyRow(cell: Cell, rival: Cell | undefined): string {
  const told = (text: string, isWorse: boolean | undefined) => (isWorse ? `**${text}**` : text);
  const columns = [
    cell.row,
    cell.name,
    told(ms(p50(cell)), rival && p50(cell) > p50(rival)),
    told(ms(p99(cell)), rival && p99(cell) > p99(rival)),
    told(`${Math.round(perSecond(cell))}`, rival && perSecond(cell) < perSecond(rival)),
    `${Math.round(spread(cell) * 100)} %`,
    told(cpu(cell).toFixed(2), rival && cpu(cell) > cpu(rival)),
  ];
  return `| ${columns.join(" | ")} |`;
}

function dollars(results: Results): string[] {
  const names = ["edge", "recipe", "tuned", "composed"] as const;
  const words = Object.entries(MIX).map(([row, share]) => `${Math.round(share * 100)} % ${row}`);
  const cost = (name: ContestantName) =>
    Object.entries(MIX).reduce((sum, [row, share]) => {
      return sum + share * (counted(results, row, name, "commands").at(-1) ?? 0);
    }, 0);
  const each = names.map((name) => {
    const commands = cost(name);
    return `${name} $${(commands * DOLLARS_PER_COMMAND * 1e6).toFixed(2)} (${commands.toFixed(2)} commands a request)`;
  });
  return [`A million requests (${words.join(", ")}) at $0.20 for 100,000 commands: ${each.join(", ")}.`];
}

export const ms = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
