import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkConfiguration, environmentsOf } from "./configuration.ts";
import { run } from "./run.ts";

/** `npm run check`: everything that can be known without running the Worker. */

interface Check {
  name: string;
  /** Null when it passed, else what to read. */
  run(): Promise<string | null>;
}

const WRANGLER_CONFIG = "wrangler.toml";

const checks: Check[] = [
  // Written anew, not compared: the types below are checked against the runtime that wrangler.toml asks for.
  { name: "the runtime's types", run: () => program("wrangler", ["types", "--include-env=false"]) },
  { name: "types", run: () => program("tsc", ["--noEmit", "-p", "."]) },
  { name: "lint and format", run: () => program("biome", ["check", "."]) },
  { name: "routes and variables", run: configuration },
  { name: "the Worker bundles", run: bundle },
];

async function program(name: string, args: string[]): Promise<string | null> {
  const { code, output } = await run(name, args);
  return code === 0 ? null : output;
}

async function configuration(): Promise<string | null> {
  const issues: string[] = [];
  for (const environment of [undefined, ...environmentsOf(WRANGLER_CONFIG)]) {
    const { issue, warnings, environment: label } = checkConfiguration(WRANGLER_CONFIG, environment);
    if (issue) issues.push(`environment ${label}: ${issue}`);
    for (const warning of warnings) console.log(`  note (${label}): ${warning}`);
  }
  return issues.length > 0 ? issues.join("\n") : null;
}

async function bundle(): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-"));
  try {
    const { code, output } = await run("wrangler", ["deploy", "--dry-run", "--outdir", folder]);
    const size = /Total Upload: .*/.exec(output)?.[0];
    if (size) console.log(`  ${size}`);
    return code === 0 ? null : output;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

let failed = 0;
for (const check of checks) {
  const complaint = await check.run();
  console.log(`${complaint === null ? "✅" : "❌"} ${check.name}`);
  if (complaint === null) continue;
  failed += 1;
  console.log(complaint.trimEnd());
}
if (failed > 0) process.exitCode = 1;
