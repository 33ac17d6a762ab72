import { asciiLowerCase, withoutBlanks } from "./blanks.ts";

const NONE: string[] = [];

/** Adds names to a response's `Vary`, each once. `*` says more and stays alone. */
export function addVary(headers: Headers, names: readonly string[]): void {
  const value = headers.get("vary");
  const listed = value ? value.split(",").map(withoutBlanks).filter(Boolean) : NONE;
  if (listed.length === 0) {
    if (names.length > 0) headers.set("vary", names.join(", "));
    return;
  }
  const known = new Set(listed.map(asciiLowerCase));
  if (known.has("*")) return;
  const added = names.filter((name) => !known.has(asciiLowerCase(name)));
  if (added.length > 0) headers.set("vary", [...listed, ...added].join(", "));
}
