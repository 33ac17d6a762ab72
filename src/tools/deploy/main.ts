import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { checkConfiguration } from "../check/configuration.ts";

/** `npm run deploy [-- --env NAME]`: checks the chosen environment first, then hands over to `wrangler deploy`. */
const { values } = parseArgs({
  options: { env: { type: "string", short: "e" } },
  strict: false,
  allowPositionals: true,
});
const environment = typeof values.env === "string" ? values.env : undefined;
const { issue, warnings, environment: label } = checkConfiguration("wrangler.toml", environment);

for (const warning of warnings) console.warn(`note (${label}): ${warning}`);
if (issue) {
  console.error(`Not deployed. Environment ${label}: ${issue}`);
  process.exitCode = 1;
} else {
  const child = spawn("wrangler", ["deploy", ...process.argv.slice(2)], { stdio: "inherit" });
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
