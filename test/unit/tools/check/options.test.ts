import { expect, it } from "vitest";
import { type DeployOptions, readDeployOptions } from "../../../../src/tools/check/options.ts";

it.each<[args: string[], env: Record<string, string>, read: Partial<DeployOptions>]>([
  [[], {}, { file: "wrangler.toml", environment: undefined, vars: {} }],
  [["--env", "staging"], {}, { environment: "staging" }],
  [["--env=staging"], {}, { environment: "staging" }],
  [["-e", "staging"], {}, { environment: "staging" }],
  [[], { CLOUDFLARE_ENV: "staging" }, { environment: "staging" }],
  [["--env", "production"], { CLOUDFLARE_ENV: "staging" }, { environment: "production" }],
  [["--env="], { CLOUDFLARE_ENV: "staging" }, { environment: undefined }],
  [["--config", "other.jsonc"], {}, { file: "other.jsonc" }],
  [["-c", "other.toml", "--dry-run"], {}, { file: "other.toml" }],
  [
    ["--var", "ORIGIN_URL:https://api.example", "--var", "LOG_LEVEL:debug", "--var", "EMPTY"],
    {},
    { vars: { ORIGIN_URL: "https://api.example", LOG_LEVEL: "debug", EMPTY: "" } },
  ],
  [["src/index.ts", "--outdir", "x", "--env", "staging"], {}, { environment: "staging" }],
])("%j with %j", (args, env, read) => {
  expect(readDeployOptions(args, env)).toMatchObject(read);
});
