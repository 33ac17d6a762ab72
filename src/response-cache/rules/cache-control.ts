import { asciiLowerCase } from "../../http/blanks.ts";

/** The grammar of `Cache-Control` (RFC 9111 §5.2), read from whatever an origin or a client sent. */

export interface Argument {
  /** Without its quotes; null where the directive has none. */
  text: string | null;
  quoted: boolean;
  /** False where something stood that the grammar has no place for: a space beside `=`, text after the quotes. */
  wellFormed: boolean;
}

/** Every occurrence of every directive, by lower-case name, in the order they came. */
export type Directives = ReadonlyMap<string, readonly Argument[]>;

/** RFC 9111 §1.2.2: what a delta-seconds too large to count is taken for. */
export const MAX_SECONDS = 2 ** 31;

/** Whole seconds, at most {@link MAX_SECONDS}; null for anything but digits (`60abc`, `-1`, `1.5`, nothing). */
export function deltaSeconds(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Math.min(Number(text), MAX_SECONDS) : null;
}

const QUOTED = /"((?:[^"\\]|\\.)*)"/y;

/**
 * Splits a field value into directives. Commas inside a quoted argument do not split; a quote that never closes is
 * an ordinary character, so that it cannot hide the `no-store` behind it. Nor can another separator than the comma: what stands
 * between two commas and is no directive (`no-cache no-store`, `private; max-age=60`) is read for what it forbids.
 */
export function parseCacheControl(value: string | null): Directives {
  const directives = new Map<string, Argument[]>();
  if (!value) return directives;
  let at = 0;
  let equals = -1;
  while (at < value.length) {
    const comma = endOfPart(value, at);
    // Looked for once each: a value without one must not be searched to its end for every part.
    if (equals < at) equals = indexOr(value, "=", at, value.length);
    if (equals >= comma) {
      add(directives, value.slice(at, comma), { text: null, quoted: false, wellFormed: true });
      at = comma + 1;
      continue;
    }
    const name = value.slice(at, equals);
    const start = equals + 1 + leadingSpace(value, equals + 1);
    const spaced = start !== equals + 1 || /\s$/.test(name);
    QUOTED.lastIndex = start;
    const quoted = QUOTED.exec(value);
    const end = quoted ? endOfPart(value, QUOTED.lastIndex) : comma;
    const rest = quoted ? value.slice(start + quoted[0].length, end).trim() : "";
    const text = quoted ? (quoted[1] ?? "").replace(/\\(.)/g, "$1") : value.slice(start, end).trim();
    add(directives, name, { text, quoted: quoted !== null, wellFormed: !spaced && rest === "" });
    addForbidding(directives, quoted ? rest : (SEPARATED.exec(text)?.[1] ?? ""));
    at = end + 1;
  }
  return directives;
}

function endOfPart(value: string, from: number): number {
  return indexOr(value, ",", from, value.length);
}

function indexOr(value: string, char: string, from: number, otherwise: number): number {
  const index = value.indexOf(char, from);
  return index === -1 ? otherwise : index;
}

function leadingSpace(value: string, from: number): number {
  let count = 0;
  while (value[from + count] === " " || value[from + count] === "\t") count += 1;
  return count;
}

function add(directives: Map<string, Argument[]>, name: string, argument: Argument): void {
  const key = asciiLowerCase(name.trim());
  if (key === "") return;
  if (NAME.test(key)) push(directives, key, argument);
  else addForbidding(directives, key);
}

/** No directive has another sign in its name, though a token may, the quotation mark `'` for one (RFC 9110 §5.6.2). */
const NAME = /^[a-z0-9_.-]+$/;

/** Behind what ends a token. */
const SEPARATED = /[;\s](.*)$/s;

/** What takes something away from a cache, or must not be passed over: as what, where it cannot be read. */
const FORBIDDING: ReadonlyMap<string, string> = new Map([
  ...["no-store", "no-cache", "private", "proxy-revalidate"].map((name) => [name, name] as const),
  // It also allows to store what credentials brought (RFC 9111 §3.5); the other forbids the same and allows nothing.
  ["must-revalidate", "proxy-revalidate"],
  // Without an argument they are no number of seconds: what has invalid freshness information is stale (§4.2.1).
  ...["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"].map((name) => [name, name] as const),
]);

/** Adds what a text that is no directive forbids. */
function addForbidding(directives: Map<string, Argument[]>, text: string): void {
  if (text === "") return;
  for (const word of text.split(/[;\s]+/)) {
    const name = FORBIDDING.get(asciiLowerCase(word.split("=", 1)[0] ?? "").replace(/[^a-z-]/g, ""));
    if (name) push(directives, name, { text: null, quoted: false, wellFormed: false });
  }
}

function push(directives: Map<string, Argument[]>, name: string, argument: Argument): void {
  const known = directives.get(name);
  if (known) known.push(argument);
  else directives.set(name, [argument]);
}
