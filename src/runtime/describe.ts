/**
 * Marks a sentence that stands in a table for the docs and that the Worker does not need. wrangler.toml puts
 * `no-descriptions.ts` in its place, so that no sentence is in the bundle.
 *
 * @example
 * { level: "info", description: describe("A request is answered.") }
 */
export function describe(sentence: string): string | undefined {
  return sentence;
}
