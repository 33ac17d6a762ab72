import { BoundedMap } from "../../src/runtime/bounded-map.ts";
import { dice } from "./dice.ts";

/** Requests for objects, by number, and what part of the objects fits in the cache that they are tried on. */
export interface Trace {
  name: string;
  capacity: number;
  requests: number[];
}

const OBJECTS = 10_000;
const REQUESTS = 200_000;
/** Objects in a row that nobody asks for again, and requests between two such rows. */
const SCAN = 500;
const SCAN_EVERY = 2000;

/** Four traces of `REQUESTS` requests each, the same for the same seed. */
export function traces(seed: number): Trace[] {
  return [
    { name: "Zipf 0.8, 10 % fit", capacity: OBJECTS / 10, requests: zipf(seed, 0.8) },
    { name: "Zipf 0.8 with scans, 1 % fit", capacity: OBJECTS / 100, requests: scanned(zipf(seed, 0.8)) },
    { name: "Zipf 1.0, 10 % fit", capacity: OBJECTS / 10, requests: zipf(seed, 1) },
    { name: "Zipf 1.0 with scans, 1 % fit", capacity: OBJECTS / 100, requests: scanned(zipf(seed, 1)) },
  ];
}

/** Object n (from 0) is asked for in proportion to 1 / (n + 1)^exponent. */
function zipf(seed: number, exponent: number): number[] {
  const { roll } = dice(seed);
  let sum = 0;
  const sums = Array.from({ length: OBJECTS }, (_, n) => {
    sum += (n + 1) ** -exponent;
    return sum;
  });
  return Array.from({ length: REQUESTS }, () => firstAtLeast(sums, roll() * sum));
}

function firstAtLeast(sums: readonly number[], target: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sums[middle] ?? 0) < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

function scanned(requests: readonly number[]): number[] {
  let next = OBJECTS;
  return requests.flatMap((object, at) => {
    if (at % SCAN_EVERY !== 0) return [object];
    const scan = Array.from({ length: SCAN }, (_, n) => next + n);
    next += SCAN;
    return [object, ...scan];
  });
}

/** The part of requests, in percent, that the map of the isolate answers. */
export function ourHits({ capacity, requests }: Trace): number {
  const map = new BoundedMap<true>({ platform: { now: () => 0 }, entries: capacity, whenFull: "evict" });
  return percent(requests, (object) => {
    const key = String(object);
    if (map.get(key)) return true;
    map.set(key, true);
    return false;
  });
}

/** The same for a cache that drops what was not read for longest. */
export function lruHits({ capacity, requests }: Trace): number {
  const held = new Set<number>();
  return percent(requests, (object) => {
    const hit = held.delete(object);
    held.add(object);
    if (held.size > capacity) held.delete(held.values().next().value ?? -1);
    return hit;
  });
}

/** The same for the optimum (Belady): it knows the future and drops what is asked for last, the newcomer included. */
export function optimalHits({ capacity, requests }: Trace): number {
  const nextUse = new Array<number>(requests.length).fill(Number.POSITIVE_INFINITY);
  const seenAt = new Map<number, number>();
  for (let at = requests.length - 1; at >= 0; at -= 1) {
    const object = requests[at] ?? 0;
    nextUse[at] = seenAt.get(object) ?? Number.POSITIVE_INFINITY;
    seenAt.set(object, at);
  }
  /** The objects held, by their next use: a sorted list of numbers, and what each stands for. */
  const uses: number[] = [];
  const held = new Set<number>();
  let hits = 0;
  requests.forEach((object, at) => {
    const next = nextUse[at] ?? Number.POSITIVE_INFINITY;
    if (held.has(object)) {
      hits += 1;
      uses.splice(firstAtLeast(uses, at), 1);
      held.delete(object);
    }
    if (next === Number.POSITIVE_INFINITY) return;
    uses.splice(
      uses.length === 0 || (uses.at(-1) ?? 0) < next ? uses.length : firstAtLeast(uses, next),
      0,
      next,
    );
    held.add(object);
    if (held.size > capacity) held.delete(requests[uses.pop() ?? 0] ?? -1);
  });
  return (hits * 100) / requests.length;
}

function percent(requests: readonly number[], ask: (object: number) => boolean): number {
  return (requests.filter(ask).length * 100) / requests.length;
}
