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
 * an ordinary character, so that it cannot hide the `no-store` behind it.
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
  const key = name.trim().toLowerCase();
  if (key === "") return;
  const known = directives.get(key);
  if (known) known.push(argument);
  else directives.set(key, [argument]);
}
