import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { Sample } from "./blocks.ts";
import type { ContestantName } from "./contestants.ts";
import type { Growth } from "./growing.ts";
import type { Run } from "./harness.ts";
import type { Outage } from "./outages.ts";
import type { Counts } from "./rows.ts";

/** The parts of the comparison: each can be measured alone. */
export const partNames = ["counts", "latency", "blocks", "outages", "once", "growing"] as const;
export type PartName = (typeof partNames)[number];

/** One row of one Worker at one load. */
export interface Cell {
  row: string;
  name: ContestantName;
  clients: number;
  roundTripMs: number;
  runs: Run[];
}

export interface Once {
  name: ContestantName;
  requests: number;
  gzipped: number;
  heapBytes: number;
  startUpMs: number | null;
}

export interface Results {
  counts: { row: string; name: ContestantName; counts: Counts[] }[];
  latency: Cell[];
  /** Blocks of each kind of request, by its name: what ratios are taken from. */
  blocks: Record<string, Sample[][]>;
  outages: Outage[];
  once: Once[];
  growing: Growth[];
  /** When each part was measured, and how many seconds that took. */
  made: Partial<Record<PartName, { at: string; seconds: number }>>;
}

/** What was measured before, so that one part can be measured again and the report written anew. */
const FILE = ".wrangler/bench-results.json";

export const noResults = (): Results => ({
  counts: [],
  latency: [],
  blocks: {},
  outages: [],
  once: [],
  growing: [],
  made: {},
});

export async function readResults(): Promise<Results> {
  const text = await readFile(FILE, "utf8").catch(() => "{}");
  return { ...noResults(), ...(JSON.parse(text) as Partial<Results>) };
}

export async function keepResults(results: Results): Promise<void> {
  await mkdir(".wrangler", { recursive: true });
  // The words and statuses of a run are maps, which JSON drops: nobody reads them later.
  await writeFile(FILE, JSON.stringify(results));
}
