import type { Counts, Quota } from "./algorithms/algorithm.ts";
import { algorithmOf } from "./algorithms/algorithms.ts";

/** Counts in one of the isolate's maps, with the policy that tells how to read them. */
export interface StoredCounts {
  quota: Quota;
  counts: Counts;
}

const ENTRY_BYTES = 160;

/** Bytes of an entry of a map in the isolate, about. */
export function entryBytes(key: string, ofCounts: number): number {
  return ENTRY_BYTES + 2 * key.length + ofCounts;
}

export function storedBytes({ quota, counts }: StoredCounts, key: string): number {
  return entryBytes(key, algorithmOf(quota).bytes(counts));
}
