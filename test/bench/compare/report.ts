import { cpus } from "node:os";
import { medianOf, ratioOfSamples, type Sample } from "./blocks.ts";
import { TARGETS, withEarlier } from "./earlier.ts";
import { ratioText } from "./interval.ts";
import { MAX_WAIT_MS } from "./load.ts";
import { commandsOfMix, dollarsOfMix, MIX } from "./mix.ts";
import { type Estimate, estimate, median } from "./percentile.ts";
import { COMPARED, LOADS, MIN_REQUESTS, STEADY_REQUESTS, WARM_REQUESTS } from "./plan.ts";
import { cellOf, counted, ms } from "./read.ts";
import { type Cell, type PartName, partNames, type Results } from "./results.ts";
import { rows } from "./rows.ts";
import { targetsTable } from "./targets.ts";

const sections: Record<PartName, (results: Results) => string[]> = {
  counts: countsSection,
  latency: latencySection,
  blocks: blocksSection,
  outages: outagesSection,
  once: onceSection,
  growing: growingSection,
};

/** By which a section is found in the report that was there before. */
const HEADINGS: Record<PartName, string> = {
  counts: "Calls and commands of one request",
  latency: "Latency",
  blocks: "Ratios",
  outages: "The store refuses, or hangs",
  once: "Once per Worker",
  growing: "Load that grows",
};

/**
 * RESULTS.md.
 *
 * @param earlier The text as it is: what was not measured now stays so.
 */
export function report(results: Results, versions: string, earlier: string): string {
  const done = partNames.filter((name) => results.made[name]);
  const text = [
    ...heading(results, done, versions),
    "## Targets",
    "",
    "*Not resolved*: the 95 % interval has the target in it, so that this run does not tell on which side the figure is.",
    "",
    ...targetsTable(results),
    "",
    ...done.flatMap((name) => [`## ${HEADINGS[name]}`, "", ...sections[name](results), ""]),
  ].join("\n");
  const joined = withEarlier(text, earlier, [TARGETS, ...partNames.map((name) => HEADINGS[name])]);
  const kept = joined.kept.map((each) => `*${each}*`).join(", ");
  return joined.text.replace(
    KEPT,
    kept === "" ? "" : `Of an earlier run, on its machine, and left as they were: ${kept}.\n\n`,
  );
}

/** Where it is said what is of an earlier run. */
const KEPT = "<!-- kept -->\n";

function heading({ made }: Results, done: readonly PartName[], versions: string): string[] {
  const seconds = done.reduce((sum, name) => sum + (made[name]?.seconds ?? 0), 0);
  const times = done.map((name) => `${name} ${Math.round((made[name]?.seconds ?? 0) / 6) / 10}`);
  const days = new Set(done.map((name) => made[name]?.at.slice(0, 10)));
  return [
    "# The edge beside what people would use instead",
    "",
    `Made by \`npm run bench\` in ${Math.round(seconds / 60)} minutes (${times.join(", ")}; ${[...days].join(" and ")}): each Worker built as`,
    `wrangler deploys it, in one Miniflare (${versions}, Node ${process.versions.node}) on ${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}) that`,
    "also run the client, the origin, the local Upstash endpoint and a real redis-server. Calls and commands are exact: calls where",
    "they arrive, one request at a time, commands by the change of Redis's `INFO commandstats`, those inside scripts included.",
    "",
    "- **bare**: a Hono Worker that answers a constant. **floor**: hono/proxy, nothing else.",
    "- **recipe**: Hono, @upstash/ratelimit and @upstash/redis as the vendor's examples have them: limit, then session, then",
    "  cache, the SDKs' defaults. **tuned**: the three at once, no retries, 400 ms, writes after the response.",
    "- **composed**: hono-rate-limiter with its Redis store, @hono/session over Upstash, hono/cache.",
    "- **cloudflare**: Cloudflare's rate limiting binding and Cache API as Miniflare emulates them: both count and keep by location,",
    "  neither waits for a network, and there are no sessions.",
    "- **edge** logs from warnings on, as the others log nothing; **edge-logging** writes its line for each request,",
    "  and **edge-operators** counts for `/edge/metrics` as well.",
    "",
    "<!-- kept -->",
    "What the distance to the store and to the origin costs, and what asking both at once saves, is in [DISTANCE.md](DISTANCE.md).",
    "",
  ];
}

function countsSection(results: Results): string[] {
  return [
    "| request | Worker | calls that were over when the answer was | calls in all | commands |",
    "|---|---|---|---|---|",
    ...results.counts.map(({ row, name }) => {
      const words = (what: "critical" | "calls" | "commands") =>
        counted(results, row, name, what).join(" or ");
      return `| ${row} | ${name} | ${words("critical")} | ${words("calls")} | ${words("commands")} |`;
    }),
    "",
    dollars(results),
  ];
}

function dollars(results: Results): string {
  const names = ["edge", "recipe", "tuned", "composed"] as const;
  const words = Object.entries(MIX).map(([row, share]) => `${Math.round(share * 100)} % ${row}`);
  const each = names.map(
    (name) =>
      `${name} $${dollarsOfMix(results, name)} (${commandsOfMix(results, name).toFixed(2)} commands a request)`,
  );
  return `A million requests (${words.join(", ")}) at $0.20 for 100,000 commands: ${each.join(", ")}.`;
}

function latencySection(results: Results): string[] {
  return [
    `At least ${MIN_REQUESTS} requests of each, in two alternating rounds; percentiles of all of them, the p50 with its 95 % interval. In bold what`,
    "is worse for the edge than for *tuned* by more than the intervals of both. A second client waits for the first one's CPU too:",
    `at one client the round trip decides, at 64 the CPU. Each Worker has answered ${WARM_REQUESTS.toLocaleString("en")} such requests before; for *hit in Redis* it is`,
    "started anew. At one client the delay is exact to some tenths of a millisecond, else a timer may be late. *cold GET, eager* is *cold GET, public* on a route with",
    '`originFetch: "eager"`: see [DISTANCE.md](DISTANCE.md) for what it saves by distance.',
    ...LOADS.flatMap(({ clients, roundTripMs }) => [
      "",
      `### ${clients} ${clients === 1 ? "client" : "clients"}, ${roundTripMs} ms to the store`,
      "",
      "| request | Worker | p50 ms | interval | p90 ms | p99 ms | requests/s | CPU ms |",
      "|---|---|---|---|---|---|---|---|",
      ...rows.flatMap((row) =>
        row.contestants.flatMap((name) => {
          const cell = cellOf(results, row.name, name, clients, roundTripMs);
          const tuned = cellOf(results, row.name, "tuned", clients, roundTripMs);
          return cell ? [latencyRow(cell, name === "edge" ? tuned : undefined)] : [];
        }),
      ),
    ]),
  ];
}

/** @param rival Figures that are worse than its figures are bold. */
function latencyRow(cell: Cell, rival: Cell | undefined): string {
  const of = ({ runs }: Cell, part: number) =>
    estimate(
      runs.flatMap(({ times }) => times),
      part,
    );
  const told = (part: number) => {
    const mine = of(cell, part);
    return rival && mine.low > of(rival, part).high ? `**${ms(mine.value)}**` : ms(mine.value);
  };
  const { low, high }: Estimate = of(cell, 0.5);
  const columns = [
    cell.row,
    cell.name,
    told(0.5),
    `${ms(low)}–${ms(high)}`,
    told(0.9),
    told(0.99),
    `${Math.round(median(cell.runs.map(({ times, seconds }) => times.length / seconds)))}`,
    median(cell.runs.map(({ cpuMs }) => cpuMs)).toFixed(2),
  ];
  return `| ${columns.join(" | ")} |`;
}

function blocksSection({ blocks }: Results): string[] {
  const rates = ({ perSecond }: Sample) => perSecond;
  const cpu = ({ cpuMs }: Sample) => [cpuMs];
  const figures = [
    ["requests/s", rates, 0],
    ["CPU ms", cpu, 3],
  ] as const;
  return [
    "Eight clients, 0 ms to the store: the runtime's thread is always busy. Blocks of short alternating slices, each Worker restarted",
    "between blocks; the edge's figure over the other's with the 95 % interval of the blocks. *young*: in an isolate's first seconds, after",
    "some 200 requests, when the runtime still compiles what it runs; a larger Worker needs more requests until it is done. *cold GET*,",
    `*hit in Redis* and *POST* are measured after ${STEADY_REQUESTS.toLocaleString("en")} such requests to each Worker, *warm GET, 10,000 URLs* after each of its URLs`,
    "was asked for four times, and *young* after twice. Each URL of a cold GET is asked for once more later, unmeasured: of entries that",
    "were asked for once an isolate of the edge stores 1,000, and each request is to store one. *64 clients*: the same at 20 ms to the store,",
    "with as many requests under way, as a busy isolate has them.",
    "",
    "| request | beside | figure | edge | the other | ratio |",
    "|---|---|---|---|---|---|",
    ...COMPARED.flatMap(({ name: title, row: { name: row }, names }) => {
      const measured = blocks[title];
      if (!measured) return [];
      return names
        .filter((name) => name !== "edge")
        .flatMap((name) =>
          figures.map(([what, read, digits]) => {
            const [mine, theirs] = (["edge", name] as const).map((each) =>
              medianOf(measured, row, each, read).toFixed(digits),
            );
            const ratio = ratioText(ratioOfSamples(measured, row, ["edge", name], read));
            return `| ${title} | ${name} | ${what} | ${mine} | ${theirs} | ${ratio} |`;
          }),
        );
    }),
  ];
}

function outagesSection({ outages }: Results): string[] {
  return [
    `Cold GETs, four clients, after three failed batches. Status 0: no answer within ${MAX_WAIT_MS / 1000} s.`,
    "",
    "| store | Worker | healthy p50 / p99 ms | lost p50 / p99 ms | statuses |",
    "|---|---|---|---|---|",
    ...outages.map(
      ({ state, name, healthy, lost, statuses }) =>
        `| ${state} | ${name} | ${ms(healthy.p50)} / ${ms(healthy.p99)} | ${ms(lost.p50)} / ${ms(lost.p99)} | ${statuses} |`,
    ),
  ];
}

function onceSection({ once }: Results): string[] {
  return [
    "Start-up is active CPU: the samples of `wrangler check startup` without those that are idle or the program's.",
    "",
    "| Worker | bundle, gzipped | start-up, ms | isolate's heap, after so many warm requests |",
    "|---|---|---|---|",
    ...once.map(
      ({ name, requests, gzipped, heapBytes, startUpMs }) =>
        `| ${name} | ${(gzipped / 1000).toFixed(1)} KB | ${startUpMs === null ? "–" : ms(startUpMs)} | ${mebibytes(heapBytes)}, ${requests.toLocaleString("en")} |`,
    ),
  ];
}

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function growingSection({ growing }: Results): string[] {
  const [smallest] = growing;
  if (!smallest) return [];
  return [
    "Eight clients, 0 ms to the store, requests to the last route of the list. *Warm*: ten callers, ten URLs that the isolate holds.",
    "*New*: each request from a caller and for a URL that the isolate has not met. In brackets the ratio to the first line.",
    "",
    "| callers and URLs met | routes | warm, requests/s | new, requests/s | isolate's heap |",
    "|---|---|---|---|---|",
    ...growing.map(({ known, routes, warm, fresh, heapBytes }) => {
      const beside = (value: number, first: number) => `(${(value / first).toFixed(2)} ×)`;
      const columns = [
        known.toLocaleString("en"),
        `${routes}`,
        `${warm.toFixed(0)} ${beside(warm, smallest.warm)}`,
        `${fresh.toFixed(0)} ${beside(fresh, smallest.fresh)}`,
        `${mebibytes(heapBytes)} ${beside(heapBytes, smallest.heapBytes)}`,
      ];
      return `| ${columns.join(" | ")} |`;
    }),
  ];
}
