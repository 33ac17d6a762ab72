import type { Family } from "./families.ts";
import { TopCallers } from "./top-callers.ts";
import {
  isPath,
  LABELS,
  numbersOf,
  seriesOf,
  type Written,
  type WrittenLevel,
  type WrittenSeries,
  writtenOf,
} from "./written.ts";

/** The label value of what is beyond the bound. */
const OTHER = "other";
/** What a label, and the numbers of one combination of labels, take in the text: about. */
const LABEL_BYTES = 6;
const NUMBERS_BYTES = 48;
/** The part of all bytes that is shared out evenly: what a family may take however much the others have. */
const RESERVED = 1 / 3;

/** Numbers by label: one level for each label. The numbers are whole. */
type Level = Map<string, Level | number[]>;

/**
 * Counts by family and labels. Its size is bounded: what would exceed it is counted with `other` for each label. Each family has some
 * room of its own, so that a stranger's odd methods and statuses take none of it from the others. All numbers are whole, so that
 * counts may be added up and taken off again in any order.
 */
export class Counts {
  readonly #families: Level = new Map();
  readonly #maxBytes: number;
  /** Of each family. */
  readonly #bytes = new Map<string, number>();
  /** Of all families beyond what is reserved for them. */
  #sharedBytes = 0;
  /** The callers that were denied most. */
  readonly denied: TopCallers;
  /** Grows with each change: whoever has seen the same number has seen all. */
  version = 0;

  /** @param maxBytes Of the text, about. */
  constructor(maxBytes: number, callers: number) {
    this.#maxBytes = maxBytes;
    this.denied = new TopCallers(callers);
  }

  /** The numbers of one combination of labels, to be added to. */
  at({ key, labels: { length } }: Pick<Family, "key" | "labels">, a: string, b = "", c = ""): number[] {
    this.version += 1;
    const first = this.#families.get(key) as Level | undefined;
    const second = first?.get(a);
    const third = length === 1 ? second : (second as Level | undefined)?.get(b);
    const numbers = length < 3 ? third : (third as Level | undefined)?.get(c);
    return (numbers as number[] | undefined) ?? this.#added([key, a, b, c].slice(0, length + 1));
  }

  /** The numbers at a path that may be new; those of `other` where it has no room. */
  #added(path: readonly string[]): number[] {
    const others = path.map((label, index) => (index === 0 ? label : OTHER));
    return this.#roomFor(path) ?? this.#walk(others) ?? this.#insert(others);
  }

  /** The numbers at a path that may be new; null where it has no room. */
  #roomFor(path: readonly string[]): number[] | null {
    const found = this.#walk(path);
    if (found) return found;
    const bytes = path.reduce((sum, label) => sum + label.length + LABEL_BYTES, NUMBERS_BYTES);
    return this.#takeRoom(path[0] ?? "", bytes) ? this.#insert(path) : null;
  }

  /** @returns whether there is room. */
  #takeRoom(family: string, bytes: number): boolean {
    const reserved = LABELS.has(family) ? (this.#maxBytes * RESERVED) / LABELS.size : 0;
    const taken = this.#bytes.get(family) ?? 0;
    const shared = Math.max(0, taken + bytes - reserved) - Math.max(0, taken - reserved);
    if (this.#sharedBytes + shared > this.#maxBytes * (1 - RESERVED)) return false;
    this.#bytes.set(family, taken + bytes);
    this.#sharedBytes += shared;
    return true;
  }

  #walk(path: readonly string[]): number[] | null {
    let level: Level | number[] | undefined = this.#families;
    for (const label of path) level = level instanceof Map ? level.get(label) : undefined;
    return Array.isArray(level) ? level : null;
  }

  #insert(path: readonly string[]): number[] {
    const numbers: number[] = [];
    let level = this.#families;
    for (const [index, label] of path.entries()) {
      const found = level.get(label);
      const next: Level | number[] = found ?? (index === path.length - 1 ? numbers : new Map());
      // A family that only a later version knows, once with more labels and once with fewer: the first of them counts.
      if (found && !(found instanceof Map)) break;
      if (!found) level.set(label, next);
      if (next instanceof Map) level = next;
    }
    return numbers;
  }

  /** Each combination of a family's labels that was counted. */
  *of({ key }: Pick<Family, "key">): IterableIterator<[labels: string[], numbers: readonly number[]]> {
    const family = this.#families.get(key);
    if (family instanceof Map) yield* leaves(family, []);
  }

  /** As JSON. {@link add} reads it. Combinations of labels whose numbers are all 0 are left out. */
  get text(): string {
    return JSON.stringify(this.#written(false));
  }

  /** The same with all combinations of labels, not yet as JSON: whoever reads it has the same ones in bounds. */
  get writtenWithZeros(): Written {
    return this.#written(true);
  }

  #written(zeros: boolean): Written {
    return { f: writtenLevel(this.#families, zeros), c: this.denied.entries };
  }

  /**
   * Adds what another isolate has written. Families that this version does not know are kept.
   *
   * @returns false, and changes nothing, where the text is none of {@link text}.
   */
  add(text: string): boolean {
    const written = writtenOf(text);
    if (written) this.addWritten(written);
    return written !== null;
  }

  /** The same of what was read. @param factor 0 only makes room for its combinations of labels; the callers stay. */
  addWritten(written: Written, factor: 1 | 0 = 1): void {
    this.version += 1;
    for (const [path, numbers] of seriesOf(written))
      if (isPath(path)) addUp(this.#added(path), numbersOf(numbers), factor);
    if (factor === 1) this.denied.merge(written.c ?? {});
  }

  /** Adds one series where it has room, and leaves it out where not. @returns whether it has. */
  keep([path, numbers]: WrittenSeries): boolean {
    if (!isPath(path)) return false;
    const mine = isOther(path) ? this.#added(path) : this.#roomFor(path);
    if (mine) addUp(mine, numbersOf(numbers), 1);
    return mine !== null;
  }

  /**
   * Takes off what these counts were at an earlier moment; the callers stay. A series that was more then has ended and begun anew since:
   * it is left as it is.
   *
   * @returns false, and changes nothing, where the text is none of {@link text}.
   */
  takeOff(text: string): boolean {
    const written = writtenOf(text);
    if (!written) return false;
    this.version += 1;
    for (const [path, numbers] of seriesOf(written)) {
      const mine = this.#walk(path);
      const theirs = numbersOf(numbers);
      if (mine && theirs.every((each, index) => each <= (mine[index] ?? 0))) addUp(mine, theirs, -1);
    }
    return true;
  }
}

/** Whether it stands for what was beyond the bound. */
export function isOther(path: readonly string[]): boolean {
  return path.length > 1 && path.every((label, index) => index === 0 || label === OTHER);
}

function addUp(mine: number[], theirs: readonly number[], factor: 1 | 0 | -1): void {
  for (const [index, each] of theirs.entries()) mine[index] = (mine[index] ?? 0) + factor * each;
}

/** Adds to one of a family's numbers. */
export function count(numbers: number[], index = 0, by = 1): void {
  numbers[index] = (numbers[index] ?? 0) + by;
}

/** Adds a time to a histogram's numbers. A clock that went back counts as no time. */
export function observe(numbers: number[], { bucketsMs = [] }: Family, ms: number): void {
  const took = Math.max(0, Math.round(ms)) || 0;
  let bucket = 0;
  while (bucket < bucketsMs.length && took > (bucketsMs[bucket] ?? 0)) bucket += 1;
  count(numbers, bucket);
  count(numbers, bucketsMs.length + 1, took);
}

function* leaves(level: Level, above: readonly string[]): IterableIterator<[string[], readonly number[]]> {
  for (const [label, next] of level) {
    const path = [...above, label];
    if (next instanceof Map) yield* leaves(next, path);
    else yield [path, next];
  }
}

/** @param zeros Without it, what is 0 throughout is left out. */
function writtenLevel(level: Level, zeros: boolean): WrittenLevel {
  const entries = [...level].flatMap(([label, next]): [string, WrittenLevel | string][] => {
    if (next instanceof Map) {
      const inner = writtenLevel(next, zeros);
      return Object.keys(inner).length > 0 ? [[label, inner]] : [];
    }
    return zeros || next.some((each) => each)
      ? [[label, Array.from(next, (each) => each || "").join(",")]]
      : [];
  });
  return Object.fromEntries(entries);
}
