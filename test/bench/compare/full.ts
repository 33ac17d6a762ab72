/**
 * `npm run bench`: the edge beside what people would use instead, in one Miniflare, against one store over real Redis. Writes
 * RESULTS.md. Counts are exact; times are medians of alternating runs, of this machine.
 */
import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { measureBlock, type Sample } from "./blocks.ts";
import { type ContestantName, contestantNames } from "./contestants.ts";
import { countOne, type Harness, idle, openHarness, type Run, runOnce } from "./harness.ts";
import { ask, load } from "./load.ts";
import { measureOutages, type Outage } from "./outages.ts";
import { report } from "./report.ts";
import { type Counts, type Row, rows } from "./rows.ts";
import { startUpMs } from "./start-up.ts";

/** One row of one Worker at one load. */
export interface Cell {
  row: string;
  name: ContestantName;
  clients: number;
  roundTripMs: number;
  runs: Run[];
}

export interface Results {
  cells: Cell[];
  /** Blocks of each kind of request, by its name: what ratios are taken from. */
  blocks: Map<string, Sample[][]>;
  counts: { row: string; name: ContestantName; counts: Counts[] }[];
  once: {
    name: ContestantName;
    requests: number;
    gzipped: number;
    heapBytes: number;
    startUpMs: number | null;
  }[];
  outages: Outage[];
  seconds: number;
}

const ROUNDS = 2;
/** Blocks of alternating slices, for the ratios. */
const BLOCKS = 8;
const COMPARED: readonly (readonly [row: string, names: readonly ContestantName[]])[] = [
  ["warm GET", ["edge", "bare", "floor"]],
  ["cold GET", ["edge", "tuned"]],
];
const COUNTED = 10;
/** The contestants with a store. */
const COUNTED_NAMES: readonly ContestantName[] = ["edge", "recipe", "tuned", "composed"];
/** Fewer for contestants that call the store for every request. */
const HEAP_REQUESTS = 100_000;
const FEWER_REQUESTS = 20_000;

export async function full(): Promise<void> {
  const since = performance.now();
  const say = (line: string) => console.error(`${Math.round((performance.now() - since) / 1000)} s: ${line}`);
  const harness = await openHarness(contestantNames);
  const results: Results = { cells: [], blocks: new Map(), counts: [], once: [], outages: [], seconds: 0 };
  try {
    for (const row of rows) await count(harness, row, results, say);
    for (const roundTripMs of [0, 20]) {
      for (const clients of [8, 64]) {
        for (const row of rows) await measure(harness, row, { clients, roundTripMs }, results, say);
      }
    }
    for (const [row, names] of COMPARED) results.blocks.set(row, await compare(harness, row, names, say));
    results.outages = await measureOutages(harness, say);
    for (const name of contestantNames) results.once.push(await measureOnce(harness, name, say));
  } finally {
    await harness.stop();
  }
  results.seconds = (performance.now() - since) / 1000;
  const versions = execFileSync("node_modules/.bin/workerd", ["--version"], { encoding: "utf8" }).trim();
  const text = report(results, versions);
  await writeFile(`${import.meta.dirname}/../RESULTS.md`, text);
  console.log(text);
}

type Say = (line: string) => void;

async function count(harness: Harness, row: Row, results: Results, say: Say): Promise<void> {
  for (const name of row.contestants) {
    const contestant = harness.contestants.get(name);
    if (!contestant || !COUNTED_NAMES.includes(name)) continue;
    results.counts.push({ row: row.name, name, counts: await countOne(harness, row, contestant, COUNTED) });
  }
  say(`${row.name}: counted`);
}

/** A B A B: each round asks every Worker once, so that what else the machine does meets all of them. */
async function measure(
  harness: Harness,
  row: Row,
  { clients, roundTripMs }: Pick<Cell, "clients" | "roundTripMs">,
  { cells }: Results,
  say: Say,
): Promise<void> {
  const requests = roundTripMs === 0 ? 800 : clients * 12;
  const mine = row.contestants.map((name): Cell => ({ row: row.name, name, clients, roundTripMs, runs: [] }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const cell of mine) {
      const contestant = harness.contestants.get(cell.name);
      if (!contestant) continue;
      cell.runs.push(await runOnce(harness, row, contestant, { clients, requests, roundTripMs }));
    }
  }
  cells.push(...mine);
  say(`${row.name}, ${clients} clients, ${roundTripMs} ms: measured`);
}

/** Requests a second of several Workers, in blocks with restarts between them. */
async function compare(
  harness: Harness,
  name: string,
  names: readonly ContestantName[],
  say: Say,
): Promise<Sample[][]> {
  const blocks: Sample[][] = [];
  for (let block = 0; block < BLOCKS; block += 1) {
    const options = {
      rows: rows.filter((row) => row.name === name),
      names: block % 2 === 0 ? names : names.toReversed(),
      clients: 8,
      roundTripMs: 0,
    };
    blocks.push(await measureBlock(harness, options));
  }
  say(`${name}: ${names.join(", ")} compared`);
  return blocks;
}

async function measureOnce(harness: Harness, name: ContestantName, say: Say) {
  const contestant = harness.contestants.get(name);
  const warm = rows.find((row) => row.name === "warm GET");
  if (!contestant || !warm) throw new Error(`There is no ${name}`);
  const { port } = contestant;
  await ask(port, warm.request(contestant, 0));
  const requests = COUNTED_NAMES.includes(name) && name !== "edge" ? FEWER_REQUESTS : HEAP_REQUESTS;
  await load({ port, clients: 64, requests, request: (n) => warm.request(contestant, n) });
  await idle(harness);
  const heapBytes = await contestant.heapBytes();
  say(`${name}: ${requests.toLocaleString("en")} requests`);
  return { name, requests, gzipped: contestant.gzipped, heapBytes, startUpMs: await startUpMs(name) };
}
