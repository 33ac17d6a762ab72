import { variantKey } from "./rules/index.ts";

/** One request field, normalised, as a text: what the script in Redis is given, to put variants' names together from. */
export function fieldText(name: string, request: Headers): string {
  return variantKey([name], request);
}

/**
 * The name of the variant that a request selects, for the selecting fields `vary`. The script in Redis builds the same
 * text from {@link fieldText} and hashes it: credentials that a `Vary` may name never stand in a key or a field.
 */
export function variantText(vary: readonly string[], request: Headers): string {
  return vary.map((name) => `${fieldText(name, request)}\n`).join("");
}
