import { parseArgs } from "node:util";
import { verifyChecks } from "./checks.ts";

/** `npm run verify -- URL`: the four checks against any deployed edge; exit 1 at a failure. */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limited: { type: "string", default: "/v1/emissions/units" },
    cached: { type: "string", default: "/v1/emissions/factors" },
    auth: { type: "string", default: "/auth" },
    health: { type: "string", default: "/health" },
  },
});
const [url] = positionals;

if (!url || !URL.canParse(url)) {
  console.error(
    "Usage: SERVICE_TOKEN=… npm run verify -- https://edge.example.com [--limited PATH] [--cached PATH]",
  );
  process.exitCode = 2;
} else {
  const options = {
    url: url.replace(/\/+$/, ""),
    serviceToken: process.env.SERVICE_TOKEN,
    limitedPath: values.limited,
    cachedPath: values.cached,
    authBasePath: values.auth,
    healthPath: values.health,
  };
  // The limits come last, because the other checks use some of the same quota.
  const order = ["Redis Connection", "Session Management", "Response Caching", "Rate Limiting"];
  const results = new Map<string, { passed: boolean; says: string }>();
  for (const name of order) {
    const check = verifyChecks.find((each) => each.name === name);
    if (!check) continue;
    try {
      const outcome = await check.run(options);
      results.set(name, { passed: outcome.kind === "passed", says: outcome.says });
    } catch (error) {
      results.set(name, { passed: false, says: error instanceof Error ? error.message : "failed" });
    }
  }
  for (const { name } of verifyChecks) {
    const { passed = false, says = "not run" } = results.get(name) ?? {};
    console.log(`${passed ? "✅" : "❌"} ${name}: ${passed ? "PASSED" : "FAILED"} (${says})`);
  }
  const good = [...results.values()].filter((result) => result.passed).length;
  console.log(`${good}/${verifyChecks.length} checks passed`);
  if (good < verifyChecks.length) process.exitCode = 1;
}
