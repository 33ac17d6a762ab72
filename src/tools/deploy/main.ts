import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { checkConfiguration } from "../check/configuration.ts";

/**
 * `npm run deploy [-- --env NAME]`: checks the chosen environment first, then hands over to `wrangler deploy`. It reads
 * the options of wrangler that change the variables: `--env`, `--config` and `--var NAME:value`.
 */
const { values } = parseArgs({
  options: {
    env: { type: "string", short: "e" },
    config: { type: "string", short: "c" },
    var: { type: "string", multiple: true },
  },
  strict: false,
  allowPositionals: true,
});
const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const given = (values.var ?? []).filter((each) => typeof each === "string");
const vars = Object.fromEntries(
  given.map((each) => {
    const colon = each.indexOf(":");
    return colon < 0 ? [each, ""] : [each.slice(0, colon), each.slice(colon + 1)];
  }),
);
const { issue, warnings, environment } = checkConfiguration(
  text(values.config) ?? "wrangler.toml",
  text(values.env),
  vars,
);

for (const warning of warnings) console.warn(`note (${environment}): ${warning}`);
if (issue) {
  console.error(`Not deployed. Environment ${environment}: ${issue}`);
  process.exitCode = 1;
} else {
  const child = spawn("wrangler", ["deploy", ...process.argv.slice(2)], { stdio: "inherit" });
  child.on("close", (code) => {
    process.exitCode = code ?? 1;
  });
}
