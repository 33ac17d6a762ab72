import { type Dictionary, parseDictionary, Token } from "structured-headers";
import { type Argument, type Directives, MAX_SECONDS } from "./cache-control.ts";

/** Directives whose argument is a number of seconds: an Integer in a targeted field (RFC 9213 §2.1). */
const IN_SECONDS = new Set(["max-age", "s-maxage", "stale-while-revalidate", "stale-if-error"]);

/**
 * The directives of a targeted field (RFC 9213 §2.1), or null where there is none to go by: absent, empty, or not a
 * Dictionary. Such a field is as if it were not there. An argument of another type than its directive has makes that
 * directive one that cannot be read, and takes nothing from the others. Parameters are ignored.
 */
export function parseTargeted(value: string | null): Directives | null {
  if (value === null || value.trim() === "") return null;
  let dictionary: Dictionary;
  try {
    dictionary = parseDictionary(value);
  } catch {
    return null;
  }
  const directives = new Map<string, Argument[]>();
  for (const [name, [bare]] of dictionary) {
    if (IN_SECONDS.has(name)) {
      const wellFormed = typeof bare === "number" && Number.isInteger(bare) && bare >= 0;
      const text = wellFormed ? String(Math.min(bare, MAX_SECONDS)) : null;
      directives.set(name, [{ text, quoted: false, wellFormed }]);
    } else if (typeof bare === "string") {
      directives.set(name, [argument(bare, true)]);
    } else if (bare !== false) {
      directives.set(name, [argument(bare instanceof Token ? bare.toString() : null, false)]);
    }
  }
  return dictionary.size > 0 ? directives : null;
}

function argument(text: string | null, quoted: boolean): Argument {
  return { text, quoted, wellFormed: true };
}
