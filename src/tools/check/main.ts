import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { misspelt } from "./findings.ts";
import { readDeployOptions } from "./options.ts";
import { run } from "./run.ts";
import { readWranglerFile, WranglerFileError } from "./wrangler-file.ts";
import { warningsOf } from "./wrangler-warnings.ts";

/**
 * `npm run check [-- --env NAME --config FILE --var NAME:value]`: everything that can be known without running the Worker,
 * of what `wrangler deploy` with the same options would deploy. Without `--env` it reads every environment.
 */

const USAGE = `Usage: npm run check -- [options]

  --env NAME        an environment of wrangler.toml; default all of them
  --config FILE     default wrangler.toml
  --var NAME:value  a variable in place of the file's, as often as needed

Other options are those of wrangler deploy. Nothing is deployed. Exit code 1 if a check fails.`;

/** Null when it passed, else what to read. */
type Complaint = string | null;

interface Check {
  name: string;
  /** @param say Takes a line to print above the outcome. */
  run(say: (line: string) => void): Promise<Complaint>;
}

const args = process.argv.slice(2);
const options = readDeployOptions(args);
/** Whether wrangler can read the file at all: what needs wrangler would only say the same again, in other words. */
let isReadable = true;

/** It says whether wrangler can read the file. */
const first: Check = { name: "routes and variables", run: configuration };
/** Written anew, not compared: the types are checked against the runtime that wrangler.toml asks for. */
const runtimeTypes: Check = {
  name: "the runtime's types",
  run: () => wrangler(["types", "--include-env=false", ...fileOption()]),
};
/** What the last check found out of each file: the next one, of a few changed files, takes a sixth of the time. */
const KNOWN_TYPES = ["--incremental", "--tsBuildInfoFile", ".wrangler/check.tsbuildinfo"];
const types: Check = { name: "types", run: () => program("tsc", ["--noEmit", "-p", ".", ...KNOWN_TYPES]) };
/** At once with the two above: each waits for a program of its own. */
const others: Check[] = [
  { name: "lint and format", run: () => program("biome", ["check", "."]) },
  { name: "the Worker bundles", run: bundle },
];

const fileOption = () => (options.file === "wrangler.toml" ? [] : ["--config", options.file]);

async function program(name: string, programArgs: string[]): Promise<Complaint> {
  const { code, output } = await run(name, programArgs);
  return code === 0 ? null : output;
}

async function wrangler(wranglerArgs: string[]): Promise<Complaint> {
  return isReadable ? program("wrangler", wranglerArgs) : `Not tried: wrangler cannot read ${options.file}.`;
}

async function configuration(say: (line: string) => void): Promise<Complaint> {
  const { file, environment, vars } = options;
  let environments: (string | undefined)[];
  try {
    const named = readWranglerFile(file).environments;
    environments = environment === undefined ? [undefined, ...named] : [environment];
  } catch (error) {
    if (!(error instanceof WranglerFileError)) throw error;
    isReadable = false;
    return error.message;
  }
  // Loaded here, not above: where src/routes.ts cannot be read the other checks still say their part.
  const { checkConfiguration } = await import("./configuration.ts");
  const issues: string[] = [];
  const notes = new Map<string, string>();
  for (const each of environments) {
    const { issue, warnings, environment: label } = checkConfiguration(file, each, vars);
    if (issue) issues.push(`environment ${label}: ${issue}`);
    for (const warning of warnings) if (!notes.has(warning)) notes.set(warning, label);
  }
  for (const note of developmentNames(file, environments)) notes.set(note, ".dev.vars");
  for (const [note, label] of notes) say(`  note (${label}): ${note}`);
  return issues.length > 0 ? issues.join("\n") : null;
}

/** Names in the files that `wrangler dev` and `npm start` read beside the configuration. */
function developmentNames(file: string, environments: readonly (string | undefined)[]): string[] {
  return environments.flatMap((environment) => {
    const path = join(dirname(file), environment === undefined ? ".dev.vars" : `.dev.vars.${environment}`);
    return existsSync(path) ? misspelt(Object.keys(parseEnv(readFileSync(path, "utf8"))), path) : [];
  });
}

async function bundle(say: (line: string) => void): Promise<Complaint> {
  if (!isReadable) return `Not tried: wrangler cannot read ${options.file}.`;
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-"));
  try {
    const { code, output } = await run("wrangler", ["deploy", "--dry-run", "--outdir", folder, ...args]);
    if (code !== 0) return output;
    for (const warning of warningsOf(output)) say(`  note (wrangler): ${warning}`);
    const size = /Total Upload: .*/.exec(output)?.[0];
    if (size) say(`  ${size}`);
    return null;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Prints what a check has to say once it is done, so that those that run at once do not mix. */
async function outcomeOf(check: Check): Promise<() => void> {
  const lines: string[] = [];
  const complaint = await check.run((line) => lines.push(line)).catch(messageOf);
  return () => {
    for (const line of lines) console.log(line);
    console.log(`${complaint === null ? "✅" : "❌"} ${check.name}`);
    if (complaint === null) return;
    console.log(complaint.trimEnd());
    process.exitCode = 1;
  };
}

if (args.includes("--help") || args.includes("-h")) {
  console.log(USAGE);
  process.exit();
}
(await outcomeOf(first))();
const written = outcomeOf(runtimeTypes);
// `tsc` reads what it writes.
const outcomes = [written, written.then(() => outcomeOf(types)), ...others.map(outcomeOf)];
for (const outcome of outcomes) (await outcome)();

/** A syntax error has the file and the line in its stack, and little in its message. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof SyntaxError
    ? ((error.stack ?? error.message).split(/\n\s+at /)[0] ?? "")
    : error.message;
}
