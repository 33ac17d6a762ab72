/** What wrangler says in a dry run of every project with environments, and does not say of this one. */
const EXPECTED = [
  // `npm run check` looks at each environment by itself.
  /Multiple environments are defined/,
];

/**
 * The warnings in what wrangler prints, each as one line.
 *
 * @param output What a run of wrangler printed, without colours.
 * @example warningsOf("▲ [WARNING] Processing wrangler.toml configuration:\n\n    - Unexpected fields\n\n") // one
 */
export function warningsOf(output: string): string[] {
  const blocks = output.split(/^(?=▲ \[WARNING\]|✘ \[ERROR\]|\S)/m);
  return blocks
    .filter((block) => block.startsWith("▲ [WARNING]"))
    .map((block) => block.replace("▲ [WARNING]", "").replaceAll(/\s+/g, " ").trim())
    .filter((warning) => !EXPECTED.some((each) => each.test(warning)));
}
