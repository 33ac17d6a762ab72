import type { ContestantName } from "./contestants.ts";
import { heldRow, type Row, rows } from "./rows.ts";

/** Latency is measured at these. Where there is more than one client, a request waits for the others' CPU too. */
export const LOADS = [
  { clients: 1, roundTripMs: 20 },
  { clients: 8, roundTripMs: 20 },
  { clients: 64, roundTripMs: 20 },
] as const;
export const ROUNDS = 2;
/** Of each Worker at each load, in all rounds. */
export const MIN_REQUESTS = 500;

/** What is compared in blocks of alternating slices: ratios have an interval then. Eight clients keep the runtime's thread busy. */
export const COMPARED: readonly { row: Row; names: readonly ContestantName[]; blocks: number }[] = [
  { row: rowOf("warm GET"), names: ["edge", "bare", "floor"], blocks: 6 },
  { row: heldRow, names: ["edge", "bare"], blocks: 5 },
  { row: rowOf("cold GET"), names: ["edge", "tuned"], blocks: 8 },
  { row: rowOf("hit in Redis"), names: ["edge", "tuned"], blocks: 7 },
  { row: rowOf("POST"), names: ["edge", "tuned"], blocks: 7 },
];

/** @throws where there is no such row. */
export function rowOf(name: string): Row {
  const row = rows.find((each) => each.name === name);
  if (!row) throw new Error(`There is no row ${name}`);
  return row;
}
