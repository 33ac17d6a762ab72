/**
 * JSON that is read and changed as text. `JSON.parse` and `JSON.stringify` are not the identity: they round numbers beyond
 * 2^53, write `1.0` as `1`, drop all but the last of two members of one name, and move members with numbers as names. What
 * others wrote and the edge passes on goes through here.
 */

/** JSON as it was written, in a place that otherwise holds a value. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** What it says, as far as JavaScript's numbers can. */
  get value(): unknown {
    return parsed(this.text);
  }

  toJSON(): unknown {
    return this.value;
  }
}

/**
 * The JSON of a value that an app has given to be kept.
 *
 * @throws TypeError where it has none, or would have one of something that JSON keeps nothing of: a Map, a Set, a Response, an Error or a
 *   promise is `{}` to it, and so it would be to whoever reads the value.
 */
export function jsonOf(value: unknown): string {
  const json: string | undefined = JSON.stringify(value, refuseEmptied);
  if (json === undefined) throw notJson();
  return json;
}

function refuseEmptied(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.keys(value).length > 0) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Plain ones have the prototype of every object, or none.
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain && !Array.isArray(value)) throw notJson();
  return value;
}

const notJson = () => new TypeError("A cached value must be JSON");

/** One member of an object, as it stands in the text. */
interface Member {
  name: string;
  /** Where its value begins and ends. */
  from: number;
  to: number;
}

/** Serialises a value; each {@link JsonText} in it is written as it is. `undefined` is left out of objects. */
export function stringify(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
  const isPlain = typeof value === "object" && value !== null && !("toJSON" in value);
  if (!isPlain) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).filter(([, each]) => each !== undefined);
  return `{${members.map(([name, each]) => `${JSON.stringify(name)}:${stringify(each)}`).join(",")}}`;
}

/** The value of an object's member as it is written: of several members of the name the last, as in `JSON.parse`. */
export function memberText(json: string, name: string): string | undefined {
  const member = membersOf(json)?.findLast((each) => each.name === name);
  return member && json.slice(member.from, member.to);
}

/** What an object says, member by member: one that is no JSON (`NaN`, as Python writes it) is left out, and the rest stays. */
export function readMembers(json: string): Record<string, unknown> | null {
  const whole = parsed(json);
  if (typeof whole === "object" && whole !== null && !Array.isArray(whole))
    return whole as Record<string, unknown>;
  const members = membersOf(json);
  if (!members) return null;
  const values = members.map(({ name, from, to }) => [name, parsed(json.slice(from, to))] as const);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/**
 * An object with other values of some members. Everything else stays as it is written, blanks included; a member that is
 * not there is added at the end.
 *
 * @param values By name: JSON.
 * @throws SyntaxError where the text is not an object.
 */
export function withMembers(json: string, values: Readonly<Record<string, string>>): string {
  let text = json;
  for (const [name, value] of Object.entries(values)) text = withMember(text, name, value);
  return text;
}

function withMember(json: string, name: string, value: string): string {
  const members = membersOf(json);
  if (!members) throw new SyntaxError("The text is not a JSON object");
  const member = members.findLast((each) => each.name === name);
  if (member) return json.slice(0, member.from) + value + json.slice(member.to);
  const last = members.at(-1);
  const at = last ? last.to : json.indexOf("{") + 1;
  return `${json.slice(0, at)}${last ? "," : ""}${JSON.stringify(name)}:${value}${json.slice(at)}`;
}

const STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;
/** A number, `true`, `false` or `null`; whoever reads it says whether it is one. */
const LITERAL = /[^\s,:"[\]{}]+/y;
const BLANKS = /[ \t\n\r]*/y;
/** A byte order mark may stand before the text (RFC 8259 §8.1). */
const START = /\ufeff?[ \t\n\r]*\{[ \t\n\r]*/y;

/** The members of the object in a text, in their order. @returns null where it is not an object. */
function membersOf(json: string): Member[] | null {
  let at = end(START, json, 0);
  if (at < 0) return null;
  const members: Member[] = [];
  if (json[at] !== "}") {
    for (;;) {
      const nameEnd = end(STRING, json, at);
      const name = nameEnd < 0 ? undefined : parsed(json.slice(at, nameEnd));
      at = end(BLANKS, json, nameEnd);
      if (typeof name !== "string" || json[at] !== ":") return null;
      const from = end(BLANKS, json, at + 1);
      const to = valueEnd(json, from);
      if (to < 0) return null;
      members.push({ name, from, to });
      at = end(BLANKS, json, to);
      if (json[at] === "}") break;
      if (json[at] !== ",") return null;
      at = end(BLANKS, json, at + 1);
    }
  }
  return end(BLANKS, json, at + 1) === json.length ? members : null;
}

/** Where the value that begins at `from` ends. Brackets are counted, not matched by kind: parsing a value checks it. */
function valueEnd(json: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const char = json[at] ?? "";
    if (char === "{" || char === "[") depth += 1;
    else if (char === "}" || char === "]") depth -= 1;
    const isToken = !"{}[],: \t\n\r".includes(char);
    at = isToken ? end(char === '"' ? STRING : LITERAL, json, at) : at + 1;
    if (at < 0 || at > json.length || depth < 0 || (depth === 0 && char !== "" && ",: \t\n\r".includes(char)))
      return -1;
  } while (depth > 0);
  return at;
}

/** Where a match of `pattern` at `at` ends, or -1. */
function end(pattern: RegExp, text: string, at: number): number {
  if (at < 0) return -1;
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
