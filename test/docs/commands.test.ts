import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { variables } from "../../src/config/variables-table.ts";
import { run } from "../../src/tools/check/run.ts";
import { readStartOptions } from "../../src/tools/start/options.ts";
import { edgeAddress } from "../../src/tools/verify/address.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { type Harness as StoreHarness, startHarness } from "../support/upstash-local.ts";
import { type Command, commandsOf, shownBy, stable } from "./commands.ts";
import { type Api, startExpressApi } from "./express-api.ts";
import { generated, isRoutes } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

const PAGES = ["README.md", "docs/operating.md", "docs/your-api.md"];
const commands = PAGES.flatMap(commandsOf);
const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as { scripts: Record<string, string> };

/** What is typed after a program's name. */
const wordsOf = (text: string) => text.split(/\s+/).slice(text.startsWith("npx") ? 2 : 1);

/** Commands that run below, in their order, as a reader would type them: all others are checked for their form. */
const FOLLOWED = [
  /^for name in /,
  /^npm run check -- --env staging$/,
  /^npm run deploy -- --env staging --secrets-file /,
  /^\(set -a;.*npm run doctor/,
];

describe("each command of the pages", () => {
  it("is found", () => {
    expect(commands.length).toBeGreaterThan(25);
    for (const step of FOLLOWED)
      expect(
        commands.some(({ text }) => step.test(text)),
        String(step),
      ).toBe(true);
  });

  const forms = commands.filter(({ text }) => !FOLLOWED.some((step) => step.test(text)));
  it.each(forms.filter(({ text }) => !text.startsWith("npx")))("$file: $text", ({ text }) => {
    const [program, ...words] = text.replace(/^(?:[A-Z_]+=\S* )+/, "").split(/\s+/);
    if (program === "openssl") return expect(words[0]).toBe("rand");
    expect(program).toBe("npm");
    // test/docs/package.test.ts packs.
    if (words[0] === "ci" || words[0] === "pack") return expect(words).toHaveLength(1);
    const script = words[0] === "run" ? words[1] : words[0];
    expect(Object.keys(scripts)).toContain(script);
    const options = words.includes("--") ? words.slice(words.indexOf("--") + 1) : [];
    if (script === "start") expect(() => readStartOptions(options)).not.toThrow();
    if (script === "verify") expect(edgeAddress(options[0] ?? "")).toMatch(/^https:/);
  });

  it("of wrangler: the command exists and knows its options", { timeout: 300_000 }, async () => {
    const ofWrangler = forms.filter(({ text }) => text.startsWith("npx wrangler"));
    expect(ofWrangler.length).toBeGreaterThan(4);
    const names = [...new Set(ofWrangler.map(nameOf))];
    const help = new Map<string, string>();
    for (const name of names) {
      const { code, output } = await run("wrangler", [...name.split(" "), "--help"]);
      expect(code, name).toBe(0);
      help.set(name, output);
    }
    for (const command of ofWrangler) {
      const name = nameOf(command);
      expect(help.get(name), command.text).toContain(`wrangler ${name}`);
      for (const option of command.text.match(/--[a-z-]+/g) ?? [])
        expect(help.get(name), command.text).toContain(option);
    }
  });
});

/** `versions upload` of `npx wrangler versions upload --env production`: words before an option or a value. */
function nameOf({ text }: Command): string {
  const words = wordsOf(text);
  const end = words.findIndex((word) => !/^[a-z]+$/.test(word));
  return (end === -1 ? words : words.slice(0, end)).join(" ");
}

/** docs/operating.md, "Deploying", for staging: the settings as the steps say, and what needs an account as a dry run. */
describe("the way to a deployment, on a copy", () => {
  let copy: ProjectCopy;
  let store: StoreHarness;
  let api: Api;
  const at = (step: number) => commands.find(({ text }) => FOLLOWED[step]?.test(text))?.text ?? "";
  const type = (text: string) => run("bash", ["-euc", text], {}, copy.folder);
  beforeAll(async () => {
    copy = await copyProject();
    store = await startHarness(process.env.REQUIRE_REDIS ? "required" : "embedded");
  });
  afterAll(async () => {
    await api?.stop();
    await store?.stop();
    await copy?.remove();
  });

  it("makes the secrets", async () => {
    expect(await type(at(0))).toMatchObject({ code: 0 });
    const file = join(copy.folder, ".secrets.staging");
    await appendFile(file, `UPSTASH_REDIS_REST_TOKEN=${store.token}\n`);
    const secrets = parseEnv(await readFile(file, "utf8"));
    for (const name of Object.keys(secrets)) expect(variables).toHaveProperty(name);
    api = await startExpressApi(secrets.ORIGIN_TOKEN ?? "");
    const toml = await readFile(join(copy.folder, "wrangler.toml"), "utf8");
    const written = toml
      .replace("https://staging-origin.example.com", api.url)
      .replace("https://staging-example.upstash.io", store.url);
    expect(written).toContain(api.url);
    await writeFile(join(copy.folder, "wrangler.toml"), written);
  });

  it("checks, and finds nothing wrong", { timeout: 300_000 }, async () => {
    const { code, output } = await type(at(1));
    expect(output.split("\n").filter((line) => line.startsWith("❌"))).toEqual([]);
    expect(code).toBe(0);
  });

  it("deploys, as a dry run", { timeout: 120_000 }, async () => {
    const { code, output } = await type(`${at(2)} --dry-run`);
    expect(output).toContain("--dry-run: exiting now.");
    expect(code).toBe(0);
  });

  it("is well: the store and the API answer, and the API refuses who goes around the edge", {
    timeout: 120_000,
  }, async () => {
    const { code, output } = await type(at(3));
    expect(output).toContain("All is well.");
    expect(code).toBe(0);
  });
});

describe("what the pages show", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness();
  });
  afterAll(() => harness.stop());

  it("README.md: is what the commands print", async () => {
    const env = { EDGE: harness.edge.url, TOKEN: await harness.token("user_123", "premium") };
    const rest = `-H "Content-Type: application/json" -d '{"user":"ada","password":"wrong"}'`;
    const shown = shownBy("README.md");
    expect(shown.length).toBeGreaterThan(4);
    for (const { command, lines } of shown) {
      const { output } = await run("bash", ["-euc", command.replace("…", rest)], env);
      const printed = output.split(/\r?\n/).map(stable).join("\n");
      for (const line of lines)
        for (const part of stable(line).split("…"))
          expect(printed, command).toContain(part.trim().replace(/,$/, ""));
    }
  });

  it("docs/operating.md: is what npm run verify prints", { timeout: 120_000 }, async () => {
    // README.md has asked for the path without a query.
    const fresh = "/v1/emissions/factors?for=verify";
    const { output } = await run("node", ["src/tools/verify/main.ts", harness.edge.url, "--cached", fresh], {
      SERVICE_TOKEN: harness.secrets.service,
    });
    const [shown] = shownBy("docs/operating.md");
    expect(shown?.lines.map(stable)).toEqual(output.trim().split("\n").map(stable));
  });
});

it("examples in TypeScript have the right types", { timeout: 120_000 }, async () => {
  const examples = ["README.md", "docs/routes.md", "docs/your-api.md", "docs/operating.md"].flatMap((page) =>
    blocksOf(page).flatMap(({ language, text, line }) => {
      if (language !== "ts") return [];
      const head = /^import .*defineRoutes/m.test(text) || !isRoutes(text) ? "" : `${IMPORT}\n`;
      const source = text.replaceAll(/"(?:\.\.\/\.\.\/src|\.)\//g, '"../../../src/');
      return [{ name: `types-${page.replaceAll(/\W/g, "-")}-${line}.ts`, text: `${head}${source}\n` }];
    }),
  );
  expect(examples.length).toBeGreaterThan(2);
  for (const { name, text } of examples) await generated(name, text);
  const config = {
    extends: "../../../tsconfig.json",
    compilerOptions: { types: ["../../../worker-configuration.d.ts", "node"] },
    files: examples.map(({ name }) => name),
    include: [],
    exclude: [],
  };
  const file = await generated("tsconfig.json", JSON.stringify(config));
  expect(await run("tsc", ["-p", file])).toEqual({ code: 0, output: "" });
});

const IMPORT = 'import { defineRoutes } from "../../../src/config/route.ts";';
