import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { checkConfiguration, environmentsOf } from "../../../../src/tools/check/configuration.ts";
import { run } from "../../../../src/tools/check/run.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function wranglerToml(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "edge-config-"));
  folders.push(folder);
  const file = join(folder, "wrangler.toml");
  await writeFile(file, `name = "edge"\nmain = "x.js"\ncompatibility_date = "2026-04-24"\n${text}`);
  return file;
}

describe("npm run check reads wrangler.toml with the Worker's own code", () => {
  it("and finds nothing wrong with the one in this repository", () => {
    expect(checkConfiguration("wrangler.toml").issue).toBeNull();
  });

  it("and names the variable, what was found and the fix", async () => {
    const file = await wranglerToml('[vars]\nORIGIN_URL = "https://api.example"\nREDIS_CACHE_TTL = "soon"\n');
    const { issue } = checkConfiguration(file);
    expect(issue).toContain("REDIS_CACHE_TTL");
    expect(issue).toContain('"soon"');
  });

  it("and looks at every environment, each with its own variables", async () => {
    const file = await wranglerToml(
      '[vars]\nORIGIN_URL = "https://api.example"\n' +
        '[env.staging]\n[env.staging.vars]\nORIGIN_URL = "https://s.example"\nEDGE_MODE = "loose"\n',
    );
    expect(environmentsOf(file)).toEqual(["staging"]);
    expect(checkConfiguration(file).issue).toBeNull();
    expect(checkConfiguration(file, "staging").issue).toContain("EDGE_MODE");
  });

  it("and notes where there is no origin", async () => {
    expect(checkConfiguration(await wranglerToml("")).warnings.join()).toContain("ORIGIN_URL");
  });

  it("and takes the store's token for granted: it is a secret, and stands in no file", async () => {
    const file = await wranglerToml(
      '[vars]\nORIGIN_URL = "https://api.example"\nUPSTASH_REDIS_REST_URL = "https://eu.upstash.io"\n',
    );
    expect(checkConfiguration(file).issue).toBeNull();
  });
});

it("npm run deploy refuses an environment that does not exist, before it calls anybody", async () => {
  const { code, output } = await run("node", ["src/tools/deploy/main.ts", "--env", "no-such-environment"]);
  expect(code).not.toBe(0);
  expect(output).toContain("no-such-environment");
});
