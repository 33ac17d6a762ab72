import { spawn } from "node:child_process";
import { checkConfiguration } from "../check/configuration.ts";
import { readDeployOptions } from "../check/options.ts";

/**
 * `npm run deploy [-- --env NAME]`: checks the chosen environment first, then hands over to `wrangler deploy`, with all
 * options. It reads those that change what is deployed: `--env`, `--config` and `--var NAME:value`.
 */
const args = process.argv.slice(2);
const { file, environment: chosen, vars } = readDeployOptions(args);
const { issue, warnings, environment } = checkConfiguration(file, chosen, vars);

for (const warning of warnings) console.warn(`note (${environment}): ${warning}`);
if (issue) {
  console.error(`Not deployed. Environment ${environment}: ${issue}`);
  process.exitCode = 1;
} else {
  const child = spawn("wrangler", ["deploy", ...args], { stdio: "inherit" });
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
