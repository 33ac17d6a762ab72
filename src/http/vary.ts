import { asciiLowerCase, withoutBlanks } from "./blanks.ts";

/** Adds names to a response's `Vary`, each once. `*` says more and stays alone. */
export function addVary(headers: Headers, names: readonly string[]): void {
  const field = headers.get("vary");
  // Most answers have none.
  if (field === null) {
    if (names.length > 0) headers.set("vary", names.join(", "));
    return;
  }
  const listed = field.split(",").map(withoutBlanks).filter(Boolean);
  const known = new Set(listed.map(asciiLowerCase));
  if (known.has("*")) return;
  const added = names.filter((name) => !known.has(asciiLowerCase(name)));
  if (added.length > 0) headers.set("vary", [...listed, ...added].join(", "));
}
