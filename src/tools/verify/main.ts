import { parseArgs } from "node:util";
import { AskError } from "../ask.ts";
import { newestSecret } from "../newest-secret.ts";
import { AddressError, edgeAddress } from "./address.ts";
import { verifyChecks } from "./checks.ts";
import { findEdge } from "./health.ts";
import { failed, type Outcome, type VerifyOptions } from "./outcome.ts";

const USAGE = `Usage: SERVICE_TOKEN=… npm run verify -- https://edge.example.com [options]

  --limited PATH   a path with a limit; default /v1/emissions/units
  --cached PATH    a path with a cache rule; default /v1/emissions/factors
  --auth PATH      AUTH_BASE_PATH; default /auth
  --health PATH    HEALTH_PATH; default /health

SERVICE_TOKEN is one of the edge's; of a list the first is used.
Four checks against any deployed edge. Exit code 1 if one fails.`;

/** The limits come last, because the other checks use some of the same quota. */
const ORDER = ["Redis Connection", "Session Management", "Response Caching", "Rate Limiting"];

const WORDS = { passed: "✅ $: PASSED", failed: "❌ $: FAILED", untested: "➖ $: NOT TESTED" } as const;

/** @returns the exit code. */
async function main(): Promise<number> {
  const options = given();
  if (options === null) {
    console.log(USAGE);
    return 0;
  }
  if (typeof options === "string") {
    console.error(`${options}${options === "" ? "" : "\n\n"}${USAGE}`);
    return 2;
  }
  const results = await resultsOf(options);
  for (const { name } of verifyChecks) {
    const { kind, says } = results.get(name) ?? failed("not run");
    console.log(`${WORDS[kind].replace("$", name)} (${says})`);
  }
  const count = (kind: Outcome["kind"]) =>
    [...results.values()].filter((result) => result.kind === kind).length;
  const rest = count("untested") > 0 ? `, ${count("untested")} not tested` : "";
  console.log(`${count("passed")}/${verifyChecks.length} checks passed${rest}`);
  return count("failed") > 0 ? 1 : 0;
}

async function resultsOf(options: VerifyOptions): Promise<Map<string, Outcome>> {
  const edge = await findEdge(options.url, options.healthPath).catch((error: unknown) => ({
    kind: "none" as const,
    says: reasonOf(error),
  }));
  if (edge.kind === "none") return new Map(ORDER.map((name) => [name, failed(edge.says)]));
  if (edge.url !== options.url) console.log(`${options.url} leads to ${edge.url}: verifying that`);
  const results = new Map<string, Outcome>();
  for (const name of ORDER) {
    const check = verifyChecks.find((each) => each.name === name);
    const outcome = check?.run({ ...options, url: edge.url });
    results.set(
      name,
      (await outcome?.catch((error: unknown) => failed(reasonOf(error)))) ?? failed("not run"),
    );
  }
  return results;
}

function reasonOf(error: unknown): string {
  return error instanceof AskError ? error.message : "the answer cannot be understood";
}

/** The options, or what is wrong with them; null where only the usage is asked for. */
function given(): VerifyOptions | string | null {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        limited: { type: "string", default: "/v1/emissions/units" },
        cached: { type: "string", default: "/v1/emissions/factors" },
        auth: { type: "string", default: "/auth" },
        health: { type: "string", default: "/health" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return null;
    const [address, ...more] = positionals;
    if (address === undefined) return "";
    if (more.length > 0) return "One address at a time.";
    const path = (text: string) => (text.startsWith("/") ? text : `/${text}`);
    return {
      url: edgeAddress(address),
      serviceToken: newestSecret(process.env.SERVICE_TOKEN),
      limitedPath: path(values.limited),
      cachedPath: path(values.cached),
      authBasePath: path(values.auth).replace(/\/+$/, ""),
      healthPath: path(values.health).replace(/\/+$/, ""),
    };
  } catch (error) {
    if (error instanceof AddressError) return error.message;
    return error instanceof Error ? (error.message.split(". ")[0] ?? "") : "This cannot be understood.";
  }
}

process.exitCode = await main();
