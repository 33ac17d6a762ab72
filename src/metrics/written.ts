import { families } from "./families.ts";
import type { TopCallers } from "./top-callers.ts";

/** The same levels as in the isolate. The numbers of a series are a text with commas, in which 0 is nothing. */
export interface WrittenLevel {
  [label: string]: WrittenLevel | string;
}

/** Counts as they are written, as JSON. */
export interface Written {
  f: WrittenLevel;
  c?: TopCallers["entries"];
  /** Of totals alone: when each series was last counted, in the order of {@link seriesOf}. See `totals.ts`. */
  s?: string;
}

/** One combination of a family's labels: the family's key and the labels, and its numbers. */
export type WrittenSeries = readonly [path: readonly string[], numbers: string];

/** No family has more numbers: what is longer was not written by an edge. */
const MAX_NUMBERS = 64;

/** How many labels each family has, by its key. */
export const LABELS: ReadonlyMap<string, number> = new Map(
  families.map(({ key, labels }) => [key, labels.length]),
);

/** The number of a text that was numbered, see `numbered`; 0 where there is none. */
export function numberOf(text: string): number {
  return Number.parseInt(text, 10) || 0;
}

/** The text without its number. */
export function textOf(text: string): string {
  return text.slice(text.indexOf(" ") + 1);
}

/** What a text says; null where it is none of these. */
export function writtenOf(text: string): Written | null {
  try {
    const value: unknown = JSON.parse(text);
    const isWritten = typeof value === "object" && value !== null && "f" in value && isLevel(value.f);
    if (!isWritten) return null;
    const { s, ...written } = value as Written;
    return typeof s === "string" ? { ...written, s } : written;
  } catch {
    return null;
  }
}

function isLevel(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every((each) => typeof each === "string" || isLevel(each));
}

/** Each series, in the order in which it is written. */
export function seriesOf({ f }: Written): IterableIterator<WrittenSeries> {
  return seriesIn(f, []);
}

function* seriesIn(level: WrittenLevel, above: readonly string[]): IterableIterator<WrittenSeries> {
  for (const [label, next] of Object.entries(level)) {
    const path = [...above, label];
    if (typeof next === "string") yield [path, next];
    else yield* seriesIn(next, path);
  }
}

/** Whether a family that this version knows has as many labels. Of others nothing is known. */
export function isPath(path: readonly string[]): boolean {
  const labels = LABELS.get(path[0] ?? "");
  return labels === undefined || path.length === labels + 1;
}

/** The numbers of a series. What is no count is 0. */
export function numbersOf(text: string): number[] {
  return text.split(",", MAX_NUMBERS).map(wholeOf);
}

function wholeOf(text: string): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
