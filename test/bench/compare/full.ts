/**
 * `npm run bench`: the edge beside what people would use instead, in one Miniflare, against one store over real Redis. Writes
 * RESULTS.md, in less than half an hour. Counts are exact; times are of alternating runs, of this machine.
 *
 * `npm run bench -- full --only PART,PART` measures these parts; the others of RESULTS.md stay as they are.
 */
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { measureBlock, type Sample, SpoiltBlock } from "./blocks.ts";
import { type ContestantName, contestantNames } from "./contestants.ts";
import { measureGrowth } from "./growing.ts";
import {
  askFor,
  countOne,
  type Harness,
  idle,
  MAX_AT_ONCE,
  openHarness,
  prepare,
  runOnce,
} from "./harness.ts";
import { ask, load } from "./load.ts";
import { measureOutages } from "./outages.ts";
import { COMPARED, type Compared, LOADS, MIN_REQUESTS, ROUNDS, rowOf, WARM_REQUESTS } from "./plan.ts";
import { report } from "./report.ts";
import { type Cell, keepResults, type PartName, partNames, type Results, readResults } from "./results.ts";
import { type Row, rows } from "./rows.ts";
import { startUpMs } from "./start-up.ts";

/** Blocks of one comparison that are measured once more. */
const MAX_SPOILT = 3;
const COUNTED = 6;
/** The contestants with a store. */
const COUNTED_NAMES: readonly ContestantName[] = ["edge", "recipe", "tuned", "composed"];
/** Fewer for contestants that call the store for every request. */
const HEAP_REQUESTS = 30_000;
const FEWER_REQUESTS = 10_000;

type Say = (line: string) => void;
type Measure = (harness: Harness, results: Results, say: Say) => Promise<void>;

const parts: Record<Exclude<PartName, "growing">, Measure> = {
  async counts(harness, results, say) {
    results.counts = [];
    for (const row of rows) await count(harness, row, results, say);
  },
  async latency(harness, results, say) {
    results.latency = [];
    const restarted = rows.filter(isRestarted);
    const others = rows.filter((row) => !isRestarted(row));
    for (const row of others) await warmUp(harness, row, say);
    for (const each of [others, restarted])
      for (const { clients, roundTripMs } of LOADS)
        for (const row of each) await measure(harness, row, { clients, roundTripMs }, results, say);
  },
  async blocks(harness, results, say) {
    results.blocks = {};
    for (const compared of COMPARED) results.blocks[compared.name] = await compare(harness, compared, say);
  },
  async outages(harness, results, say) {
    results.outages = await measureOutages(harness, say);
  },
  async once(harness, results, say) {
    results.once = [];
    for (const name of contestantNames) results.once.push(await measureOnce(harness, name, say));
  },
};

/** @param only Default all parts. @throws where there is no such part. */
export async function full(only: readonly string[] = partNames): Promise<void> {
  const unknown = only.filter((name) => !partNames.some((part) => part === name));
  if (unknown.length > 0) throw new Error(`There is no part ${unknown[0]}: ${partNames.join(", ")}`);
  const since = performance.now();
  const results = await readResults();
  const chosen = partNames.filter((name) => only.includes(name));
  // Growth has Workers of its own, with other routes, and the processor for itself.
  const beside = chosen.flatMap((name) => (name === "growing" ? [] : [name]));
  const harness = beside.length > 0 ? await openHarness(contestantNames) : null;
  const timed = async (name: PartName, work: (say: Say) => Promise<void>) => {
    const from = performance.now();
    const place = `${chosen.indexOf(name) + 1}/${chosen.length} ${name}`;
    await work((line) =>
      console.error(`${Math.round((performance.now() - since) / 1000)} s: ${place}: ${line}`),
    );
    results.made[name] = { at: new Date().toISOString(), seconds: (performance.now() - from) / 1000 };
    await keepResults(results);
  };
  try {
    for (const name of beside) if (harness) await timed(name, (say) => parts[name](harness, results, say));
  } finally {
    await harness?.stop();
  }
  if (chosen.includes("growing"))
    await timed("growing", async (say) => {
      results.growing = await measureGrowth(say);
    });
  const versions = execFileSync("node_modules/.bin/workerd", ["--version"], { encoding: "utf8" }).trim();
  const file = `${import.meta.dirname}/../RESULTS.md`;
  const text = report(results, versions, await readFile(file, "utf8"));
  await writeFile(file, text);
  console.log(text);
}

async function count(harness: Harness, row: Row, results: Results, say: Say): Promise<void> {
  for (const name of row.contestants) {
    const contestant = harness.contestants.get(name);
    if (!contestant || !COUNTED_NAMES.includes(name)) continue;
    results.counts.push({ row: row.name, name, counts: await countOne(harness, row, contestant, COUNTED) });
  }
  say(row.name);
}

const isRestarted = (row: Row) => row.before === "fill and restart";

const namesOf = (row: Row) => row.timed ?? row.contestants;

/** So many requests that the runtime has compiled most of what they run. */
async function warmUp(harness: Harness, row: Row, say: Say): Promise<void> {
  for (const name of namesOf(row)) {
    const contestant = harness.contestants.get(name);
    if (!contestant) continue;
    await prepare(harness, row, contestant, WARM_REQUESTS);
    for (let from = 0; from < WARM_REQUESTS; from += MAX_AT_ONCE) {
      const { again } = await askFor(row, contestant, { clients: 8, from, requests: MAX_AT_ONCE });
      await again();
    }
  }
  await idle(harness);
  say(`warm-up of ${row.name}`);
}

/** A B A B: each round asks every Worker once, so that what else the machine does meets all of them. */
async function measure(
  harness: Harness,
  row: Row,
  { clients, roundTripMs }: Pick<Cell, "clients" | "roundTripMs">,
  { latency }: Results,
  say: Say,
): Promise<void> {
  const requests = Math.ceil(Math.max(MIN_REQUESTS, clients * 12) / ROUNDS);
  const mine = namesOf(row).map((name): Cell => ({ row: row.name, name, clients, roundTripMs, runs: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const cell of mine) {
      const contestant = harness.contestants.get(cell.name);
      if (!contestant) continue;
      cell.runs.push(await runOnce(harness, row, contestant, { clients, requests, roundTripMs }));
    }
  }
  latency.push(...mine);
  say(`${row.name}, ${clients} clients, ${roundTripMs} ms`);
}

/** Figures of several Workers, in blocks with restarts between them. */
async function compare(
  harness: Harness,
  { name, row, names, blocks: count, ...options }: Compared,
  say: Say,
): Promise<Sample[][]> {
  const blocks: Sample[][] = [];
  for (let spoilt = 0; blocks.length < count; ) {
    const ordered = blocks.length % 2 === 0 ? names : names.toReversed();
    try {
      blocks.push(
        await measureBlock(harness, { clients: 8, roundTripMs: 0, ...options, rows: [row], names: ordered }),
      );
      say(`${name}: ${names.join(", ")}, block ${blocks.length} of ${count}`);
    } catch (error) {
      spoilt += 1;
      if (!(error instanceof SpoiltBlock) || spoilt > MAX_SPOILT) throw error;
      say(`left out: ${error.message}`);
    }
  }
  return blocks;
}

async function measureOnce(harness: Harness, name: ContestantName, say: Say) {
  const contestant = harness.contestants.get(name);
  const warm = rowOf("warm GET");
  if (!contestant) throw new Error(`There is no ${name}`);
  const { port } = contestant;
  await ask(port, warm.request(contestant, 0));
  const requests = COUNTED_NAMES.includes(name) && name !== "edge" ? FEWER_REQUESTS : HEAP_REQUESTS;
  await load({ port, clients: 64, requests, request: (n) => warm.request(contestant, n) });
  await idle(harness);
  const heapBytes = await contestant.heapBytes();
  say(`${name}: ${requests.toLocaleString("en")} requests`);
  return { name, requests, gzipped: contestant.gzipped, heapBytes, startUpMs: await startUpMs(name) };
}
