import { Counts, isOther } from "./counts.ts";
import { families } from "./families.ts";
import { seriesOf, textOf, type Written, type WrittenSeries, writtenOf } from "./written.ts";

/** Bytes of the totals' text, about. */
const TOTALS_BYTES = 64_000;
/** Callers in the totals, and in what an isolate writes. */
export const MAX_CALLERS = 100;

/** A series that nobody has counted for so many minutes ends: 35 days, so that what runs once a month keeps its own. */
const MAX_QUIET_MINUTES = 35 * 24 * 60;
/** When a series was last counted is written as a number to this base. */
const SEEN_BASE = 36;

/** What an isolate has last written under one id. */
export interface Latest {
  minute: number;
  text: string;
}

/** What Redis has of all that is counted. */
export interface Known {
  /** Of isolates that are gone, as {@link totalsText} writes them; null where there are none yet. */
  totals: string | null;
  /** By id: those that are not in {@link totals}. */
  isolates: ReadonlyMap<string, Latest>;
  /** When it was read, minutes since the epoch. */
  minute: number;
}

interface Sum {
  counts: Counts;
  /** When a series was last counted, minutes since the epoch; undefined where that was now. */
  seenAt(path: readonly string[]): number | undefined;
}

/** All that is counted, of isolates that are gone and of those that are not. A series that goes on never falls. */
export function allOf(known: Known): Counts {
  return sumOf(known, () => true).counts;
}

/**
 * The totals' next text: with the isolates that are gone. All series have the room that {@link allOf} gives them.
 *
 * @param isGone Of whom nothing more is written.
 * @param halves Whether the callers denied most are halved.
 */
export function totalsText(known: Known, isGone: (latest: Latest) => boolean, halves: boolean): string {
  const { counts, seenAt } = sumOf(known, isGone);
  if (halves) counts.denied.halve();
  const written = counts.writtenWithZeros;
  const seen = [...seriesOf(written)].map(([path]) => (seenAt(path) ?? known.minute).toString(SEEN_BASE));
  return JSON.stringify({ ...written, s: seen.join() } satisfies Written);
}

/**
 * The room for series is bounded, and routes are renamed: those that isolates count now take it first, in the same order each time, so
 * that none of them gives way to another. What is left is for those that were counted last. A series that has no room any more ends; its
 * count is not added to `other`, for which that would be an increase that never was.
 */
function sumOf({ totals, isolates, minute }: Known, isCounted: (latest: Latest) => boolean): Sum {
  const counts = new Counts(TOTALS_BYTES, MAX_CALLERS);
  const before = totals === null ? null : writtenOf(totals);
  const live = [...isolates.values()].flatMap((latest) => {
    const written = writtenOf(textOf(latest.text));
    return written ? [{ latest, written }] : [];
  });
  const liveNames = new Set(
    live.flatMap(({ written }) => [...seriesOf(written)].map(([path]) => nameOf(path))),
  );
  const quiet: { series: WrittenSeries; seen: number }[] = [];
  const seenAt = new Map<string, number>();
  const seen = before?.s?.split(",") ?? [];
  for (const [index, series] of [...(before ? seriesOf(before) : [])].entries()) {
    const [path] = series;
    const name = nameOf(path);
    if (liveNames.has(name) || neverEnds(path)) counts.keep(series);
    // A version before this one has not written when.
    else quiet.push({ series, seen: Number.parseInt(seen[index] ?? "", SEEN_BASE) || minute });
  }
  counts.denied.merge(before?.c ?? {});
  for (const { latest, written } of live) counts.addWritten(written, isCounted(latest) ? 1 : 0);
  for (const { series, seen } of quiet.sort((one, other) => other.seen - one.seen)) {
    if (minute - seen <= MAX_QUIET_MINUTES && counts.keep(series)) seenAt.set(nameOf(series[0]), seen);
  }
  return { counts, seenAt: (path) => seenAt.get(nameOf(path)) };
}

/** What is beyond the bound, and what is exposed with 0 from the beginning: there is a fixed number of these. */
function neverEnds(path: readonly string[]): boolean {
  const [key, label = ""] = path;
  return isOther(path) || families.some((family) => family.key === key && family.values?.includes(label));
}

function nameOf(path: readonly string[]): string {
  return JSON.stringify(path);
}
