/** Characters, and words, that a pattern of many different ones is tried with: of a list of names one is as good as another. */
const MAX_CHARACTERS = 12;
const MAX_WORDS = 12;
/**
 * Lengths of the values, one after the other: from that at which what grows faster than any power takes long, to that at which what grows
 * with the square does. No step is so wide that what was quick before it does not end after it. The longer ones are tried where one of
 * the first took longer than so many ms.
 */
const FIRST_LENGTHS = [24, 48, 96, 200, 2000];
const FIRST_MS = 0.25;
const LENGTHS = [
  ...[24, 26, 28, 30, 34, 40, 48, 60, 72, 84, 96, 120, 150, 200],
  ...[400, 2000, 10_000, 40_000],
];
/** What grows with the length alone takes a small part of that for the longest. */
const SLOW_MS = 60;

/**
 * A value for which the time of a pattern grows with the square of its length, or faster; null where none was found. It is tried with
 * values made of the characters that stand in it: a beginning, a long run, and an end that fits or does not.
 *
 * @returns its beginning, run and end, as a text to read.
 */
export function slowValue(pattern: string, flags: string): string | null {
  if (!/[*+]|\{\d*,/.test(pattern)) return null;
  for (const { text, make } of hostileValues(pattern)) {
    const isSuspicious = FIRST_LENGTHS.some((length) => timeOf(pattern, flags, make(length)) > FIRST_MS);
    if (isSuspicious && LENGTHS.some((length) => isSlow(pattern, flags, make(length)))) return text;
  }
  return null;
}

/** Three times: whatever else the machine does takes time once. */
function isSlow(pattern: string, flags: string, value: string): boolean {
  return [1, 2, 3].every(() => timeOf(pattern, flags, value) > SLOW_MS);
}

function timeOf(pattern: string, flags: string, value: string): number {
  const regExp = new RegExp(pattern, flags);
  const from = performance.now();
  value.replace(regExp, "");
  return performance.now() - from;
}

function* hostileValues(pattern: string) {
  const units = charactersOf(pattern);
  const words = [...new Set(pattern.match(/[A-Za-z0-9-]{3,}/g) ?? [])].slice(0, MAX_WORDS);
  const pairs = units.flatMap((one) => units.filter((other) => other !== one).map((other) => one + other));
  const short = ["", ...units, ...words];
  for (const [beginnings, runs] of [
    [[...short, ...pairs], units],
    [short, [...pairs, ...words]],
  ] as const)
    for (const beginning of beginnings)
      for (const run of runs)
        for (const end of ["", "\0", '"']) {
          const make = (length: number) => beginning + run.repeat(Math.ceil(length / run.length)) + end;
          yield { text: JSON.stringify([beginning, run, end]), make };
        }
}

/** Those that stand for themselves, one for each class, and what is in most fields. */
function charactersOf(pattern: string): string[] {
  const classes: Record<string, string> = { s: " ", d: "0", w: "a", b: " ", t: "\t", n: "\n", r: "\r" };
  const bare = pattern.replace(/\(\?<?[:=!]|\\[pPuxk][{(]?[\w]*[})]?/g, "");
  const own = [...bare.matchAll(/\\(.)|[^\w^$*+?()[\]{}|]/g)].map(([text, escaped]) =>
    escaped === undefined ? text : (classes[escaped] ?? escaped),
  );
  return [...new Set([" ", "a", "0", ...own])].slice(0, MAX_CHARACTERS);
}
