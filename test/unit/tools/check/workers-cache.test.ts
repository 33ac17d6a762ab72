import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkConfiguration } from "../../../../src/tools/check/configuration.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function issueOf(text: string, environment?: string): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), "edge-config-"));
  folders.push(folder);
  const file = join(folder, "wrangler.toml");
  const head = 'name = "edge"\nmain = "x.js"\ncompatibility_date = "2026-04-24"\n';
  const vars = `[vars]\nORIGIN_URL = "https://api.example"\n[env.staging.vars]\nORIGIN_URL = "https://api.example"\n`;
  await writeFile(file, `${head}${vars}${text}\n`);
  return checkConfiguration(file, environment, {}, []).issue;
}

const OWN = (enabled: boolean) => `[exports.default]\ntype = "worker"\ncache = { enabled = ${enabled} }\n`;

describe("Workers Cache would answer before the edge (cloudflare/workers-sdk#14474)", () => {
  it.each<[text: string, environment: string | undefined, said: string | null]>([
    ["", undefined, null],
    ["[cache]\nenabled = false", undefined, null],
    ["[cache]\nenabled = true", undefined, "[cache] has enabled = true"],
    ["[cache]\nenabled = true\ncross_version_cache = true", undefined, "[cache] has enabled = true"],
    ["[cache]\nenabled = true", "staging", "[cache] has enabled = true"],
    ["[env.staging.cache]\nenabled = true", "staging", "[cache] has enabled = true"],
    ["[env.staging.cache]\nenabled = true", undefined, null],
    ["[cache]\nenabled = true\n[env.staging.cache]\nenabled = false", "staging", null],
    [`[cache]\nenabled = true\n${OWN(false)}`, undefined, null],
    [`[cache]\nenabled = false\n${OWN(true)}`, undefined, "[exports.default.cache] has enabled = true"],
    [OWN(true), undefined, "[exports.default.cache] has enabled = true"],
  ])("%j, environment %s: %s", async (text, environment, said) => {
    const issue = await issueOf(text, environment);
    if (said === null) expect(issue).toBeNull();
    else expect(issue).toContain(said);
  });
});
