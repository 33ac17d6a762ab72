import { asciiLowerCase, withoutBlanks } from "./blanks.ts";

/** Adds names to a response's `Vary`, each once. `*` says more and stays alone. */
export function addVary(headers: Headers, names: readonly string[]): void {
  const value = headers.get("vary");
  const listed = (value ?? "").split(",").map(withoutBlanks).filter(Boolean);
  const known = new Set(listed.map(asciiLowerCase));
  if (known.has("*")) return;
  const added = names.filter((name) => !known.has(asciiLowerCase(name)));
  if (added.length > 0) headers.set("vary", [...listed, ...added].join(", "));
}
