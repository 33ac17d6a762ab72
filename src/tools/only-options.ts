import { type ParseArgsConfig, parseArgs } from "node:util";

/**
 * The options of a program that writes or measures: asked for help, or given what it does not know, it does neither. Ends the process
 * then, with 0 and with 2.
 *
 * @param options Those that it has beside `--help`.
 * @example const { seed } = onlyOptions("Usage: npm run docs", { seed: { type: "string" } }).values;
 */
export function onlyOptions<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  usage: string,
  options: Options,
  allowPositionals = false,
) {
  const help = { type: "boolean", short: "h" } as const;
  try {
    const given = parseArgs({ allowPositionals, options: { ...options, help } });
    if (!("help" in given.values && given.values.help)) return given;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    return notUnderstood(usage, error instanceof Error ? error.message : String(error));
  }
}

/** Says what was not understood and what would be, and ends the process with 2. */
export function notUnderstood(usage: string, reason: string): never {
  console.error(`${reason}\n\n${usage}`);
  process.exit(2);
}
