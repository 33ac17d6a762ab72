/** What a template or `String()` makes of nothing. As a key it would be everybody's. */
const NOTHING: ReadonlySet<string> = new Set(["", "undefined", "null", "NaN", "[object Object]"]);

/** Whether a key is nobody's. */
export function isNobody(key: string): boolean {
  return NOTHING.has(key.trim());
}
