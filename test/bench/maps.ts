import { BoundedMap } from "../../src/runtime/bounded-map.ts";
import { lruHits, optimalHits, ourHits, traces } from "../support/eviction.ts";

const SEEDS = [1, 2, 3];
const BLOCKS = 200;
const BLOCK = 500;

/** The part of CACHE.md about what a full map drops: the mean of three seeds, exact for these seeds. */
export function evictionReport(): string[] {
  const runs = SEEDS.map(traces);
  const rows = (runs[0] ?? []).map(({ name }, at) => {
    const each = runs.flatMap((run) => run.slice(at, at + 1));
    const mean = (hits: typeof ourHits) =>
      (each.reduce((sum, trace) => sum + hits(trace), 0) / each.length).toFixed(1);
    return `| ${name} | ${mean(lruHits)} | ${mean(ourHits)} | ${mean(optimalHits)} |`;
  });
  return [
    "## What a full map drops",
    "",
    "Hits in percent of 200,000 requests for 10,000 objects of one size. LRU drops what was not read for longest; SIEVE is what",
    "the isolate's maps do; Belady knows the future, and is the most that can be reached.",
    "",
    "| requests, and what part of the objects fits | LRU | SIEVE | Belady |",
    "|---|---|---|---|",
    ...rows,
  ];
}

/** The part of CACHE.md about how long a map takes, by its number of entries. */
export function mapTimesReport(): string[] {
  const sizes = [10, 1000, 100_000];
  const times = sizes.map(timesOf);
  const names = Object.keys(times[0] ?? {});
  return [
    "## A map's time by its number of entries",
    "",
    `ns for one operation: the fastest of ${BLOCKS} blocks of ${BLOCK}. Larger maps miss the processor's caches more often.`,
    "",
    `| operation | ${sizes.map((size) => size.toLocaleString("en")).join(" | ")} |`,
    "|---|---|---|---|",
    ...names.map((name) => `| ${name} | ${times.map((each) => each[name]?.toFixed(0)).join(" | ")} |`),
  ];
}

function timesOf(size: number): Record<string, number> {
  const map = new BoundedMap<number>({ platform: { now: () => 0 }, entries: size, whenFull: "evict" });
  const keyOf = (n: number) => `https://api.example.com/v1/list?page=${n}`;
  for (let n = 0; n < size; n += 1) map.set(keyOf(n), n);
  const hot = keyOf(size >> 1);
  let fresh = size;
  return {
    "read one that is there": fastest(() => map.get(hot)),
    "read one that is absent": fastest(() => map.get("absent")),
    replace: fastest(() => map.set(hot, 1)),
    "remove and add again": fastest(() => {
      map.delete(hot);
      map.get(hot);
      map.set(hot, 1);
    }),
    "add to a full map": fastest(() => {
      fresh += 1;
      map.set(keyOf(fresh), fresh);
    }),
  };
}

function fastest(operation: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let block = 0; block < BLOCKS; block += 1) {
    const since = performance.now();
    for (let n = 0; n < BLOCK; n += 1) operation();
    best = Math.min(best, ((performance.now() - since) * 1e6) / BLOCK);
  }
  return best;
}
