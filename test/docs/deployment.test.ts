import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";
import type { Variable } from "../../src/config/variable.ts";
import { variables } from "../../src/config/variables-table.ts";
import { checkConfiguration } from "../../src/tools/check/configuration.ts";
import { run } from "../../src/tools/check/run.ts";
import { isTable, readWranglerFile, type Table } from "../../src/tools/check/wrangler-file.ts";
import { unexpectedNames } from "../../src/tools/check/wrangler-schema.ts";
import routes from "../support/sample-routes.ts";

const table: Record<string, Variable> = variables;
const mustSet = Object.keys(table).filter((name) => table[name]?.group === "must set");
const isSecretKind = (name: string) => ["secret", "secrets", "keys"].includes(table[name]?.kind ?? "");
const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  scripts: Record<string, string>;
  cloudflare: { bindings: Record<string, { description: string }> };
};

describe("wrangler.toml", () => {
  const { raw, text } = readWranglerFile("wrangler.toml");
  const environments = (isTable(raw.env) ? raw.env : {}) as Record<string, Table>;

  it("has only names that the installed wrangler knows", () => {
    expect(unexpectedNames(raw).filter(({ expected }) => expected !== null)).toEqual([]);
  });

  it.each([undefined, "staging", "production"])("environment %s: no issue", (environment) => {
    expect(checkConfiguration("wrangler.toml", environment, {}, routes).issue).toBeNull();
  });

  it("keeps query strings out of the platform's logs, and samples traces", () => {
    expect(raw.observability).toMatchObject({ enabled: true, redact_query_string: true });
    const { traces } = raw.observability as { traces: { enabled: boolean; head_sampling_rate: number } };
    expect(traces.enabled).toBe(true);
    expect(traces.head_sampling_rate).toBeGreaterThan(0);
    expect(traces.head_sampling_rate).toBeLessThanOrEqual(0.1);
    expect(raw).toMatchObject({ upload_source_maps: true, preview_urls: false });
  });

  it("production answers at its own domain alone, and a first deployment without a domain works", () => {
    expect(environments.production).toMatchObject({
      workers_dev: false,
      routes: [{ custom_domain: true }],
      limits: { cpu_ms: expect.any(Number) as number },
    });
    for (const name of ["workers_dev", "routes", "route", "limits", "secrets"])
      expect(raw, `${name} at the top level`).not.toHaveProperty(name);
  });

  it.each(["staging", "production"])("%s requires every secret that must be set", (name) => {
    const secrets = environments[name]?.secrets as { required: string[] };
    expect([...secrets.required].sort()).toEqual(mustSet.filter(isSecretKind).sort());
  });

  it("gives a reason for each group of lines", () => {
    const groups = text.split(/\n{2,}/).filter((group) => /^[^#\n]/m.test(group));
    expect(groups.length).toBeGreaterThan(8);
    expect(groups.filter((group) => !group.includes("#"))).toEqual([]);
  });

  it.each(["staging", "production"])(
    "wrangler deploy --dry-run --env %s passes without a network",
    async (environment) => {
      const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-"));
      const nowhere = "http://127.0.0.1:9";
      const args = ["deploy", "--dry-run", "--env", environment, "--outdir", folder];
      const { code, output } = await run("wrangler", args, { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere });
      await rm(folder, { recursive: true });
      expect(output).toContain("--dry-run: exiting now.");
      expect(output).not.toContain("[WARNING]");
      expect(code).toBe(0);
    },
  );
});

describe("what a Deploy button reads", () => {
  const example = readFileSync(".dev.vars.example", "utf8");
  const asked = Object.keys(parseEnv(example));
  const offered = Object.keys(parseEnv(example.replaceAll(/^# (?=[A-Z_]+=)/gm, "")));

  it(".dev.vars.example asks for what must be set and does not stand in wrangler.toml", () => {
    const { vars } = readWranglerFile("wrangler.toml").raw;
    const standing = isTable(vars) ? Object.keys(vars) : [];
    expect([...asked].sort()).toEqual(mustSet.filter((name) => !standing.includes(name)).sort());
  });

  it(".dev.vars.example has every secret, and no value that would end up in production", () => {
    expect(offered.filter((name) => table[name] === undefined)).toEqual([]);
    expect(Object.keys(table).filter((name) => isSecretKind(name) && !offered.includes(name))).toEqual([]);
    expect(Object.values(parseEnv(example.replaceAll(/^# (?=[A-Z_]+=)/gm, ""))).filter(Boolean)).toEqual([]);
  });

  it("package.json describes each in the words of the configuration's schema", () => {
    const { bindings } = manifest.cloudflare;
    expect(Object.keys(bindings).sort()).toEqual([...mustSet].sort());
    for (const [name, { description }] of Object.entries(bindings))
      expect(description.startsWith(table[name]?.description ?? "?"), `${name}: ${description}`).toBe(true);
  });

  it("git ignores .dev.vars, the files of secrets and packages, and not the example", () => {
    const ignored = readFileSync(".gitignore", "utf8").split("\n");
    for (const line of [".dev.vars", ".dev.vars.*", "!.dev.vars.example", ".secrets", ".secrets.*", "*.tgz"])
      expect(ignored).toContain(line);
  });
});

/** There is no YAML parser among the packages, so this reads lines: enough for what must hold. */
describe.each(readdirSync(".github/workflows"))(".github/workflows/%s", (name) => {
  const text = readFileSync(join(".github/workflows", name), "utf8");
  const lines = text.split("\n");
  const valuesOf = (key: string) =>
    lines.flatMap((line) => new RegExp(`^\\s*(?:- )?${key}: (.+)$`).exec(line)?.[1] ?? []);

  it("has no tab, no odd indentation, and the keys of a workflow", () => {
    expect(
      lines.filter((line) => line.includes("\t") || (/^ */.exec(line)?.[0].length ?? 0) % 2 !== 0),
    ).toEqual([]);
    expect(lines.flatMap((line) => /^(\w+):/.exec(line)?.[1] ?? [])).toEqual(
      expect.arrayContaining(["name", "on", "permissions", "concurrency", "jobs"]),
    );
  });

  it("pins every action by its full commit, with its version beside it", () => {
    const used = valuesOf("uses");
    expect(used.length).toBeGreaterThan(0);
    for (const each of used) {
      if (each.startsWith("./")) expect(existsSync(each), each).toBe(true);
      else expect(each).toMatch(/^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  it("may only read the repository, and keeps no credential of git", () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/m);
    expect(text).not.toMatch(/: write\b/);
    expect(text.match(/actions\/checkout@/g)?.length).toBe(text.match(/persist-credentials: false/g)?.length);
  });

  it("runs npm's scripts that exist, and puts nothing that others choose into a shell", () => {
    const commands = valuesOf("run");
    const scripts = commands.flatMap((command) => /^npm run ([\w:]+)/.exec(command)?.[1] ?? []);
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
    expect(commands.filter((command) => command.includes("${{"))).toEqual([]);
  });
});

it("CI checks and tests with a Redis service; a deployment waits for it, and only its own steps get secrets", () => {
  const ci = readFileSync(".github/workflows/ci.yml", "utf8");
  expect(ci).toMatch(/services:\n {6}redis:\n {8}image: redis:\d/);
  expect(ci).toMatch(/LOCAL_REDIS_URL: redis:\/\/127\.0\.0\.1:6379/);
  for (const command of ["npm ci", "npm run check", "npm test", "npm run test:docs"])
    expect(ci).toContain(`- run: ${command}\n`);
  expect(ci).not.toContain("secrets.");
  const deploy = readFileSync(".github/workflows/deploy.yml", "utf8");
  expect(deploy).toMatch(/on:\n {2}push:\n {4}tags: \["v\*"\]/);
  expect(deploy).toMatch(/needs: ci\n/);
  expect(deploy).toMatch(/npm run deploy -- --env production .*\n {8}env:\n {10}CLOUDFLARE_API_TOKEN: /);
  // Ten spaces: the environment of a step, not of a job or of the workflow.
  expect(deploy.match(/^.*secrets\..*$/gm)?.filter((line) => !line.startsWith(" ".repeat(10)))).toEqual([]);
});
