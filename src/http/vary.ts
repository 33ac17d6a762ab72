import { asciiLowerCase, withoutBlanks } from "./blanks.ts";

/** Adds names to a response's `Vary`, each once. `*` says more and stays alone. */
export function addVary(headers: Headers, names: readonly string[]): void {
  const listed = headers.get("vary")?.split(",").map(withoutBlanks).filter(Boolean) ?? [];
  const known = new Set(listed.map(asciiLowerCase));
  if (known.has("*")) return;
  // Most answers have no `Vary`.
  const added = listed.length === 0 ? names : names.filter((name) => !known.has(asciiLowerCase(name)));
  if (added.length > 0) headers.set("vary", [...listed, ...added].join(", "));
}
