import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lookAtSecrets } from "../../../../src/tools/doctor/secrets.ts";
import { readSettings } from "../../../../src/tools/doctor/settings.ts";

const TOML = `name = "edge"
main = "src/index.ts"
compatibility_date = "2026-04-24"
[vars]
ORIGIN_URL = "https://api.example.com"
[env.staging.vars]
ORIGIN_URL = "https://staging.example.com"
[env.bound]
services = [{ binding = "ORIGIN", service = "my-api" }]
`;
const SERVICE = "service-token-0123456789";
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "envoyou-edge-doctor-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read({
  files = {},
  env = {},
  environment,
  toml = TOML,
}: {
  files?: Record<string, string>;
  env?: Record<string, string>;
  environment?: string;
  toml?: string;
}) {
  const place = await mkdtemp(join(folder, "case-"));
  for (const [name, text] of Object.entries({ "wrangler.toml": toml, ...files }))
    await writeFile(join(place, name), text);
  return readSettings({ file: join(place, "wrangler.toml"), environment, env });
}
const origin = async (given: Parameters<typeof read>[0]) => (await read(given)).values.ORIGIN_URL?.host;

describe("where a value comes from", () => {
  const local = "ORIGIN_URL=http://localhost:4000\n";
  it.each<[string, Parameters<typeof read>[0], string]>([
    ["the vars", {}, "api.example.com"],
    ["an environment's vars", { environment: "staging" }, "staging.example.com"],
    [".dev.vars before them", { files: { ".dev.vars": local } }, "localhost:4000"],
    [".env where there is no .dev.vars", { files: { ".env": local } }, "localhost:4000"],
    [
      "an environment's own .dev.vars before its vars",
      { files: { ".dev.vars.staging": local }, environment: "staging" },
      "localhost:4000",
    ],
    [
      "not a .dev.vars of all environments before an environment's vars",
      { files: { ".dev.vars": local }, environment: "staging" },
      "staging.example.com",
    ],
    [
      "the process before all",
      { files: { ".dev.vars": local }, env: { ORIGIN_URL: "https://given.example.com" } },
      "given.example.com",
    ],
    ["an empty value is none", { files: { ".dev.vars": "ORIGIN_URL=\n" } }, "api.example.com"],
    [
      "quotes and blanks around it",
      { files: { ".dev.vars": "ORIGIN_URL = 'http://localhost:1234'\n" } },
      "localhost:1234",
    ],
  ])("%s", async (_, given, host) => {
    expect(await origin(given)).toBe(host);
  });

  it("is said, and that a deployment has another", async () => {
    const { sources, notes } = await read({ files: { ".dev.vars": local } });
    expect(sources.get("ORIGIN_URL")).toMatch(/\.dev\.vars$/);
    expect(notes.join()).toMatch(/ORIGIN_URL is taken from .*\.dev\.vars; a deployment has another/);
  });

  it("a .dev.vars of all environments fills in what an environment lacks", async () => {
    const settings = await read({
      files: { ".dev.vars": `SERVICE_TOKEN=${SERVICE}\n` },
      environment: "staging",
    });
    expect(settings.values.SERVICE_TOKEN).toEqual([SERVICE]);
  });

  it("a secret in the vars is said to be everybody's, and not shown", async () => {
    const { notes } = await read({ toml: TOML.replace("[vars]", `[vars]\nSERVICE_TOKEN = "${SERVICE}"`) });
    expect(notes.join()).toMatch(/SERVICE_TOKEN stands in .*wrangler\.toml/);
    expect(notes.join()).not.toContain(SERVICE);
  });

  it("a bound Worker is known by its name", async () => {
    expect((await read({ environment: "bound" })).boundOrigin).toBe("my-api");
  });
});

it.each([
  [
    "an environment that is not there",
    { environment: "produktion" },
    /no environment produktion. It has: staging, bound/,
  ],
  [
    "a file that is no TOML",
    { toml: `[vars\nSERVICE_TOKEN = "${SERVICE}"` },
    /wrangler\.toml:1: found a table's name that is not closed\. Close it: \[vars\]\./,
  ],
  [
    "a value of which wrangler says what it is",
    { toml: `name = "edge"\nvars = "${SERVICE}"\n` },
    /wrangler\.toml: .*vars/,
  ],
  [
    "a secret that is a variable too",
    { toml: `[secrets]\nrequired = ["SERVICE_TOKEN"]\n[vars]\nSERVICE_TOKEN = "${SERVICE}"` },
    /found SERVICE_TOKEN in \[vars\] and in \[secrets\]\. .* npx wrangler secret put SERVICE_TOKEN\n/,
  ],
])("%s is one sentence without a value of the file", async (_, given, message) => {
  const error = await read(given).catch((cause: unknown) => cause);
  expect(String(error)).toMatch(message);
  expect(String(error)).not.toContain(SERVICE);
});

it.each([
  ["a token in the address", "https://default:hunter2hunter2@x.upstash.io", "hunter2hunter2"],
  ["a token in the query", "https://x.upstash.io/?_token=hunter2%2Fhunter2", "hunter2/hunter2"],
  ["a token in an address in quotes", '"https://default:hunter2hunter2@x.upstash.io"', "hunter2hunter2"],
  ["the same in a word processor's", "“https://default:hunter2hunter2@x.upstash.io”", "hunter2hunter2"],
])("%s is an issue, and among what is not shown", async (_, url, secret) => {
  const { issues, secrets } = await read({ env: { UPSTASH_REDIS_REST_URL: url } });
  expect(issues.map(({ place }) => place)).toEqual(["UPSTASH_REDIS_REST_URL"]);
  expect(JSON.stringify(issues)).not.toContain(secret);
  expect(secrets.map(([, text]) => text)).toContain(secret);
});

describe("secrets", () => {
  it("that are missing are named, each with its command", async () => {
    const settings = await read({ env: { SERVICE_TOKEN: SERVICE }, environment: "staging" });
    const wrong = lookAtSecrets(settings, "staging").filter(({ state }) => state === "wrong");
    expect(wrong.map(({ fix }) => fix)).toEqual(
      ["UPSTASH_REDIS_REST_TOKEN", "ORIGIN_TOKEN", "SESSION_SECRET"].map(
        (name) => `npx wrangler secret put ${name} --env staging`,
      ),
    );
  });

  it("that the configuration requires are among them; ORIGIN_TOKEN is not, where the API is bound", async () => {
    const toml = TOML.replace("[vars]", '[secrets]\nrequired = ["ADMIN_TOKEN"]\n[vars]');
    const missing = (settings: Awaited<ReturnType<typeof read>>) =>
      lookAtSecrets(settings, undefined).flatMap(({ fix }) => (fix ? [fix.split(" ").at(-1)] : []));
    expect(missing(await read({ toml }))).toContain("ADMIN_TOKEN");
    expect(missing(await read({ environment: "bound" }))).not.toContain("ORIGIN_TOKEN");
  });

  it("that are set and of no use are an issue, and not among those that are well", async () => {
    const env = { SESSION_SECRET: "short", ORIGIN_TOKEN: "undefined", SERVICE_TOKEN: SERVICE };
    const settings = await read({ env });
    expect(settings.issues.map(({ place }) => place).sort()).toEqual(["ORIGIN_TOKEN", "SESSION_SECRET"]);
    const findings = lookAtSecrets(settings, undefined);
    const well = findings.filter(({ state }) => state === "well").map(({ says }) => says);
    expect(well).toEqual(["secrets: SERVICE_TOKEN (environment)"]);
    expect(JSON.stringify(findings)).not.toMatch(/ORIGIN_TOKEN|SESSION_SECRET/);
  });

  const one = "one-text-for-two-0123456789-0123456789";
  it.each([
    ["ADMIN_TOKEN", "SERVICE_TOKEN", "SERVICE_TOKEN"],
    ["SERVICE_TOKEN", "ORIGIN_TOKEN", "ORIGIN_TOKEN"],
    ["ORIGIN_TOKEN", "SESSION_SECRET", "ORIGIN_TOKEN"],
    ["SESSION_SECRET", "JWT_SECRET", "JWT_SECRET"],
    ["IDENTITY_SECRET", "SESSION_SECRET", "IDENTITY_SECRET"],
    ["UPSTASH_REDIS_REST_TOKEN", "ADMIN_TOKEN", "ADMIN_TOKEN"],
  ])("that are the same, %s and %s, are named and not shown", async (first, second, other) => {
    const url = {
      UPSTASH_REDIS_REST_URL: "https://eu1.upstash.io",
      UPSTASH_REDIS_REST_TOKEN: "a-token-0123456789",
    };
    const old = "an-older-one-0123456789-0123456789-01";
    const list = (name: string) => (/SECRET$|SERVICE|ADMIN/.test(name) ? `${old}-${name},${one}` : one);
    const env = { ...url, [first]: list(first), [second]: list(second) };
    const same = lookAtSecrets(await read({ env }), "staging").filter(({ says }) =>
      says.includes("is the same as"),
    );
    expect(same).toHaveLength(1);
    expect(same[0]?.fix).toMatch(`npx wrangler secret put ${other} --env staging`);
    expect(JSON.stringify(same)).not.toContain(one);
    const apart = { ...env, [second]: `${one}-of-its-own` };
    const found = lookAtSecrets(await read({ env: apart }), "staging");
    expect(found.filter(({ says }) => says.includes("is the same as"))).toEqual([]);
  });
});
