import type { Counts } from "./counts.ts";
import { cacheAnswers, requests, verdicts } from "./families.ts";

/** Requests, of them denied by a limit, answered with 5xx, and answered from the cache: in this order. */
export type Sums = readonly [requests: number, denied: number, errors: number, hits: number];

const NOTHING: Sums = [0, 0, 0, 0];
/** Minutes that the series keeps: two hours, and what is not folded yet. */
const KEPT_MINUTES = 125;
/** Writes of an isolate in a minute, at most; it writes every ten seconds. */
const WRITES_IN_A_MINUTE = 7;

/** What a minute's bucket holds: ids and texts by turns, each with the number of its writing and its sums before it. */
export type Bucket = readonly [minute: number, fields: readonly string[]];

/** The sums of all that is counted. */
export function sumsOf(counts: Counts): Sums {
  let all = 0;
  let errors = 0;
  for (const [[, , status = ""], numbers] of counts.of(requests)) {
    const answered = timesIn(requests.bucketsMs?.length ?? 0, numbers);
    all += answered;
    if (status.startsWith("5")) errors += answered;
  }
  return [
    all,
    ofLabel(counts, verdicts, "rate_limit_exceeded"),
    errors,
    ofLabel(counts, cacheAnswers, "hit"),
  ];
}

/** How often a histogram was added to. */
export function timesIn(buckets: number, numbers: readonly number[]): number {
  return numbers.slice(0, buckets + 1).reduce((sum, each) => sum + (each ?? 0), 0);
}

function ofLabel(counts: Counts, family: Parameters<Counts["of"]>[0], label: string): number {
  return [...counts.of(family)].reduce(
    (sum, [labels, numbers]) => sum + (labels[1] === label ? (numbers[0] ?? 0) : 0),
    0,
  );
}

/**
 * Adds to each minute what its bucket has more than the buckets before it. An isolate writes all that it has counted since its id
 * began; one that is first seen in the midst of that says nothing of the minute.
 *
 * @param buckets In their order, from the one before the first of these minutes on.
 * @param after The minutes that come later are added.
 */
export function addMinutes(minutes: Map<number, Sums>, buckets: readonly Bucket[], after: number): void {
  const before = new Map<string, Sums>();
  for (const [minute, fields] of buckets) {
    for (let index = 0; index + 1 < fields.length; index += 2) {
      const [id = "", text = ""] = fields.slice(index, index + 2);
      const [, number = "", list = ""] = /^(\d+);([\d,]*) /.exec(text) ?? [];
      if (number === "") continue;
      const sums = sumsIn(list);
      const known = before.get(id) ?? (Number(number) > WRITES_IN_A_MINUTE ? sums : NOTHING);
      before.set(id, sums);
      if (minute > after) minutes.set(minute, added(minutes.get(minute) ?? NOTHING, sums, known));
    }
  }
}

function added(all: Sums, sums: Sums, known: Sums): Sums {
  return mapped((at) => all[at] + Math.max(0, sums[at] - known[at]));
}

function mapped(of: (at: 0 | 1 | 2 | 3) => number): Sums {
  return [of(0), of(1), of(2), of(3)];
}

function sumsIn(list: string): Sums {
  const numbers = list.split(",").map(Number);
  return mapped((at) => numbers[at] || 0);
}

/** The last two hours' minutes as they are stored: the last minute, then each, of which those without a request are empty. */
export function minutesText(minutes: ReadonlyMap<number, Sums>, last: number): string {
  const list = Array.from({ length: KEPT_MINUTES }, (_, index) => {
    const sums = minutes.get(last - KEPT_MINUTES + 1 + index);
    return sums?.some((each) => each > 0) ? sums.join(",") : "";
  });
  return `${last} ${list.join(";")}`;
}

/** What {@link minutesText} has written; nothing where the text is none of these. */
export function minutesIn(text: string | null): Map<number, Sums> {
  const [, last = "", list = ""] = /^(\d+) ([\d,;]*)$/.exec(text ?? "") ?? [];
  const minutes = new Map<number, Sums>();
  if (last === "") return minutes;
  const each = list.split(";");
  for (const [index, sums] of each.entries())
    if (sums !== "") minutes.set(Number(last) - each.length + 1 + index, sumsIn(sums));
  return minutes;
}
