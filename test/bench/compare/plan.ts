import type { BlockOptions } from "./blocks.ts";
import type { ContestantName } from "./contestants.ts";
import { HELD_URLS, heldRow, type Row, rows } from "./rows.ts";

/** Latency is measured at these. Where there is more than one client, a request waits for the others' CPU too. */
export const LOADS = [
  { clients: 1, roundTripMs: 20 },
  { clients: 8, roundTripMs: 20 },
  { clients: 64, roundTripMs: 20 },
] as const;
export const ROUNDS = 2;
/** Of each Worker at each load, in all rounds. */
export const MIN_REQUESTS = 500;

/** Requests before latency is measured: the runtime has compiled most of what they run by then. */
export const WARM_REQUESTS = 1500;
/** Requests before CPU is compared: what a POST takes of it falls until about then, by a fifth in the first thousand, by a tenth after it. */
export const STEADY_REQUESTS = 4000;

/** A kind of request that is measured of several Workers. The default warm-up of those that take long is an isolate's first second. */
export interface Compared
  extends Pick<BlockOptions, "warmUpRequests" | "sliceMs">,
    Partial<Pick<BlockOptions, "clients" | "roundTripMs">> {
  /** By which its blocks are known. */
  name: string;
  row: Row;
  names: readonly ContestantName[];
  blocks: number;
}

/** As a busy isolate has them: at a distance from the store, with many requests under way. Slices are long beside their ends, at which fewer are. */
const busy = {
  names: ["edge", "tuned"],
  blocks: 6,
  warmUpRequests: STEADY_REQUESTS,
  clients: 64,
  roundTripMs: 20,
  sliceMs: 500,
} as const;

/** What is compared in blocks of alternating slices: ratios have an interval then. Eight clients keep the runtime's thread busy. */
export const COMPARED: readonly Compared[] = [
  { name: "warm GET", row: rowOf("warm GET"), names: ["edge", "bare", "floor"], blocks: 12 },
  {
    name: heldRow.name,
    row: heldRow,
    names: ["edge", "bare"],
    blocks: 10,
    // An isolate that holds so many has answered more hits than misses. Each is asked for twice in the short way, and a slice is as long
    // as the runtime takes from one collection of garbage to the next.
    warmUpRequests: 2 * HELD_URLS,
    sliceMs: 500,
  },
  { name: `${heldRow.name}, young`, row: heldRow, names: ["edge", "bare"], blocks: 5 },
  {
    name: "cold GET",
    row: rowOf("cold GET"),
    names: ["edge", "tuned"],
    blocks: 8,
    warmUpRequests: STEADY_REQUESTS,
  },
  { name: "cold GET, young", row: rowOf("cold GET"), names: ["edge", "tuned"], blocks: 6 },
  {
    name: "hit in Redis",
    row: rowOf("hit in Redis"),
    names: ["edge", "tuned"],
    blocks: 8,
    warmUpRequests: STEADY_REQUESTS,
  },
  {
    name: "POST",
    row: rowOf("POST"),
    names: ["edge", "tuned"],
    blocks: 8,
    warmUpRequests: STEADY_REQUESTS,
  },
  { name: "POST, young", row: rowOf("POST"), names: ["edge", "tuned"], blocks: 6 },
  { name: "cold GET, 64 clients", row: rowOf("cold GET"), ...busy },
  { name: "POST, 64 clients", row: rowOf("POST"), ...busy },
];

/** @throws where there is no such row. */
export function rowOf(name: string): Row {
  const row = rows.find((each) => each.name === name);
  if (!row) throw new Error(`There is no row ${name}`);
  return row;
}
