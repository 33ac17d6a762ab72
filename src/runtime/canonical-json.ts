/** An object or a list in the middle of its members, each behind the text that stands before it. */
interface Open {
  members: readonly (readonly [before: string, value: unknown])[];
  next: number;
  end: string;
}

/**
 * JSON with the keys of every object sorted: equal values are equal texts. It does not call itself, as `JSON.stringify` with a
 * replacer does: a token may say lists within lists, deeper than a stack is.
 *
 * @param value What `JSON.parse` returns.
 */
export function canonicalJson(value: unknown): string {
  const open: Open[] = [];
  let text = "";
  const write = (each: unknown) => {
    const begun = opened(each);
    if (begun) open.push(begun);
    text += begun ? (begun.end === "]" ? "[" : "{") : JSON.stringify(each);
  };
  write(value);
  for (let last = open.at(-1); last; last = open.at(-1)) {
    const member = last.members[last.next];
    last.next += 1;
    if (member) {
      text += member[0];
      write(member[1]);
    } else {
      text += last.end;
      open.pop();
    }
  }
  return text;
}

function opened(value: unknown): Open | null {
  if (typeof value !== "object" || value === null) return null;
  const comma = (index: number) => (index > 0 ? "," : "");
  if (Array.isArray(value))
    return { members: value.map((each, index) => [comma(index), each]), next: 0, end: "]" };
  const sorted = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  const members = sorted.map(
    ([name, each], index) => [`${comma(index)}${JSON.stringify(name)}:`, each] as const,
  );
  return { members, next: 0, end: "}" };
}
