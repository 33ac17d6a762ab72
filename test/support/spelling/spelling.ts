import type { Dice } from "../dice.ts";

/** A directive of Cache-Control; a text in quotes stays as it is. */
export type Directive = readonly [name: string, argument?: number | string];

/** Writes what fields say. {@link plain} does it as most programs do, {@link odd} as RFC 9110 allows it. */
export interface Spelling {
  directives(list: readonly Directive[]): string;
  /** Names of fields, in any order. */
  fieldNames(list: readonly string[]): string;
  /** Codings that a client accepts. Their order is kept: some servers prefer the first. */
  codings(list: readonly string[]): string;
  /** Entity tags; `*` alone is no list. */
  tags(list: readonly string[]): string;
  /** One range. */
  range(text: string): string;
  date(ms: number): string;
  seconds(count: number): string;
}

export const plain: Spelling = {
  directives: (list) =>
    list.map(([name, argument]) => (argument === undefined ? name : `${name}=${argument}`)).join(", "),
  fieldNames: (list) => list.join(", "),
  codings: (list) => list.join(", "),
  tags: (list) => list.join(", "),
  range: (text) => text,
  date: (ms) => new Date(ms).toUTCString(),
  seconds: String,
};

/** What says nothing to a cache (RFC 9111 §5.2.3), though parts of it look like something. */
const UNKNOWN = [
  "foo",
  "x-a=1",
  'community="UCI, no-store"',
  'z="max-age=1, private"',
  String.raw`q="a\", no-store"`,
];

/** Other texts of the same meaning, as the dice fall. */
export function odd(dice: Dice): Spelling {
  const cased = (text: string) =>
    [...text].map((letter) => (dice.chance(0.3) ? letter.toUpperCase() : letter)).join("");
  // RFC 9110 §5.6.1: whitespace around commas, and empty elements.
  const joined = (list: readonly string[]) => {
    const ends = () => (dice.chance(0.2) ? dice.pick([",", ", ,", " ,"]) : "");
    const commas = list.map((_, index) =>
      index === 0 ? "" : dice.pick([",", ", ", " , ", ",\t", ",,", ", ,"]),
    );
    return ends() + list.map((each, index) => `${commas[index]}${each}`).join("") + ends();
  };
  const seconds = (count: number) => (dice.chance(0.3) ? `00${count}` : `${count}`);
  return {
    seconds,
    // RFC 9111 §5.2: names in any case, arguments as tokens or in quotes.
    directives(list) {
      const known = list.map(([name, argument]) => {
        if (argument === undefined) return cased(name);
        if (typeof argument === "string") return `${cased(name)}=${argument}`;
        return `${cased(name)}=${dice.chance(0.4) ? `"${argument}"` : seconds(argument)}`;
      });
      return joined(dice.shuffled(dice.chance(0.4) ? [...known, dice.pick(UNKNOWN)] : known));
    },
    fieldNames: (list) => joined(dice.shuffled(list).map(cased)),
    codings: (list) => joined(list.map(cased)),
    tags: (list) => (list[0] === "*" ? "*" : joined(dice.shuffled(list))),
    range: (text) =>
      text.replace("bytes=", `${cased("bytes")}=${dice.pick(["", ",", ", "])}`) + dice.pick(["", ",", " ,"]),
    date: (ms) => dice.pick([plain.date, rfc850Date, asctimeDate])(ms),
  };
}

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** Obsolete, and to be read by every recipient (RFC 9110 §5.6.7). */
function rfc850Date(ms: number): string {
  const [, day = "", month = "", year = "", time = ""] = plain.date(ms).split(" ");
  return `${DAYS[new Date(ms).getUTCDay()]}, ${day}-${month}-${year.slice(2)} ${time} GMT`;
}

/** As the former. */
function asctimeDate(ms: number): string {
  const [weekday = "", day = "", month = "", year = "", time = ""] = plain.date(ms).split(" ");
  return `${weekday.slice(0, 3)} ${month} ${String(Number(day)).padStart(2)} ${time} ${year}`;
}
