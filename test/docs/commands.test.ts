import { existsSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { variables } from "../../src/config/variables-table.ts";
import { run } from "../../src/tools/check/run.ts";
import { helpText, readStartOptions } from "../../src/tools/start/options.ts";
import { edgeAddress } from "../../src/tools/verify/address.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { type Harness as StoreHarness, startHarness } from "../support/upstash-local.ts";
import { ASSIGNMENTS, commandsOf, optionsOf, pages, shownBy, stable } from "./commands.ts";
import { type Api, startExpressApi } from "./express-api.ts";

const commands = pages.flatMap(commandsOf);
const { scripts, bin } = JSON.parse(await readFile("package.json", "utf8")) as {
  scripts: Record<string, string>;
  bin: Record<string, string>;
};

/** Commands that run below, in their order, as a reader would type them: all others are checked for their form. */
const FOLLOWED = [
  /^for name in /,
  /^npm run check -- --env staging$/,
  /^npm run deploy -- --env staging --secrets-file /,
  /^\(set -a;.*npm run doctor/,
];

const helps = new Map<string, Promise<string>>();
/** What a program says of its own options, however it exits. Asked for once: wrangler takes seconds. */
function helpOf(program: string, ...args: string[]): Promise<string> {
  const line = [program, ...args].join(" ");
  const help = helps.get(line) ?? run(program, [...args, "--help"]).then(({ output }) => output);
  helps.set(line, help);
  return help;
}

/** The help of each script that a page gives options to. */
const HELP: Record<string, () => Promise<string>> = {
  start: async () => helpText(),
  verify: () => helpOf("node", "src/tools/verify/main.ts"),
  doctor: () => helpOf("node", "src/tools/doctor/main.ts"),
  // Both hand their options on.
  check: () => helpOf("wrangler", "deploy"),
  deploy: () => helpOf("wrangler", "deploy"),
  bench: () => helpOf("node", "test/bench/main.ts"),
  chaos: () => helpOf("node", "test/chaos/main.ts"),
};

/** The parts of a command, without the variables before it. */
function partsOf(text: string) {
  const [program = "", ...words] = text.replace(ASSIGNMENTS, "").split(/\s+/);
  if (program === "npx") return { program: words[0] ?? "", words: words.slice(1) };
  return { program, words };
}

/** What is wrong with a command's form, by its program. A program that is not here is one that no test knows. */
const FORMS: Record<string, (words: string[], text: string) => Promise<void> | void> = {
  npm: async (words) => {
    // test/docs/package.test.ts and installed-examples.test.ts pack and install, test/docs/first-hour.ts installs.
    if (["ci", "install"].includes(words[0] ?? "")) return expect(words).toHaveLength(1);
    if (words[0] === "pack")
      return expect(["", "--pack-destination docs/examples"]).toContain(words.slice(1).join(" "));
    const [script = "", ...rest] = words[0] === "run" ? words.slice(1) : words;
    expect(Object.keys(scripts)).toContain(script);
    if (rest.length === 0) return;
    expect(rest[0], "npm keeps what does not stand behind --").toBe("--");
    const options = rest.slice(1);
    expect(Object.keys(HELP), `a test that knows the options of npm run ${script}`).toContain(script);
    const help = (await HELP[script]?.()) ?? "";
    const named =
      script === "bench" || script === "chaos" ? options : options.filter((word) => /^-/.test(word));
    for (const word of named) expect(help, word).toContain(word);
    if (script === "start") expect(() => readStartOptions(options)).not.toThrow();
    if (script === "verify") expect(edgeAddress(options[0] ?? "")).toMatch(/^https:/);
  },
  wrangler: async (all) => {
    // test/e2e/log-queries.test.ts runs what stands behind a pipe.
    const words = all.includes("|") ? all.slice(0, all.indexOf("|")) : all;
    const end = words.findIndex((word) => !/^[a-z][a-z0-9]*$/.test(word));
    let name = end === -1 ? words : words.slice(0, end);
    let help = await helpOf("wrangler", ...name);
    // A value in small letters: `wrangler d1 create sessions`.
    while (!help.includes(`wrangler ${name.join(" ")}`) && name.length > 1) {
      name = name.slice(0, -1);
      help = await helpOf("wrangler", ...name);
    }
    expect(help).toContain(`wrangler ${name.join(" ")}`);
    for (const option of words.filter((word) => word.startsWith("-"))) expect(help).toContain(option);
  },
  // Its flags are from uvicorn's documentation: nothing here can run it.
  uvicorn: (words) => expect(words).toEqual(["main:app", "--forwarded-allow-ips", "'*'"]),
  // What test/docs/installed-examples.test.ts does as well.
  cd: ([folder = ""]) => expect(existsSync(`${folder}/package.json`), folder).toBe(true),
  cp: ([from = "", to = ""]) => {
    expect([from, to]).toEqual([".dev.vars.example", ".dev.vars"]);
    for (const example of ["app", "limits"])
      expect(existsSync(`docs/examples/${example}/${from}`)).toBe(true);
  },
  node: ([file = ""]) => expect(existsSync(file), file).toBe(true),
  openssl: (words) => expect(words[0]).toBe("rand"),
  // test/docs/package.test.ts runs it, as it is packed.
  "envoyou-edge": (words, text) => {
    expect(Object.keys(bin)).toContain("envoyou-edge");
    expect(text).toBe("npx envoyou-edge upstash");
    expect(words).toEqual(["upstash"]);
  },
  vitest: async (words) => {
    const projects = await readFile("vitest.config.ts", "utf8");
    expect(words.slice(0, 2)).toEqual(["run", "--project"]);
    expect(projects).toContain(`name: "${words[2]}"`);
    for (const file of words.slice(3)) expect(existsSync(file), file).toBe(true);
  },
};

async function expectForm(text: string): Promise<void> {
  const { program, words } = partsOf(text);
  expect(Object.keys(FORMS), `${text}: no test knows ${program}`).toContain(program);
  await FORMS[program]?.(words, text);
}

describe("each command of the pages", () => {
  it("is found", () => {
    expect(commands.length).toBeGreaterThan(60);
    for (const step of FOLLOWED)
      expect(
        commands.some(({ text }) => step.test(text)),
        String(step),
      ).toBe(true);
  });

  const forms = new Map(
    commands.filter(({ text }) => !FOLLOWED.some((step) => step.test(text))).map((each) => [each.text, each]),
  );
  it.each([...forms.values()])("$file: $text", ({ text }) => expectForm(text));

  it.each(["npm run delpoy", "npm start -- --orgin URL", "npm start --origin URL", "npm run docs -- --fast"])(
    "a wrong one is found: %s",
    (text) => expect(expectForm(text)).rejects.toThrow(),
  );

  it.each([
    "npm run chaos -- qiuck",
    "npm run doctor -- --enviroment x",
    "brew install redis",
    "npx nothing -x",
  ])("a wrong one is found: %s", (text) => expect(expectForm(text)).rejects.toThrow());

  it("options that stand alone belong to a tool of this project", async () => {
    const known = (await Promise.all(Object.values(HELP).map((help) => help()))).join("\n");
    const unknown = pages.flatMap(optionsOf).filter((option) => !known.includes(`${option} `));
    expect(unknown).toEqual([]);
  });
});

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

  it("deploys, as a dry run", async () => {
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
      const { code, output } = await run("bash", ["-euc", command.replace("…", rest)], env);
      expect(code, command).toBe(0);
      const printed = output.split(/\r?\n/).map(stable).join("\n");
      for (const line of lines)
        for (const part of stable(line).split("…"))
          expect(printed, command).toContain(part.trim().replace(/,$/, ""));
    }
  });

  it("docs/operating.md: is what npm run verify prints", async () => {
    // README.md has asked for the path without a query.
    const fresh = "/v1/emissions/factors?for=verify";
    const { output } = await run("node", ["src/tools/verify/main.ts", harness.edge.url, "--cached", fresh], {
      SERVICE_TOKEN: harness.secrets.service,
    });
    // test/docs/runbook.test.ts has those with an address.
    const [shown, ...others] = shownBy("docs/operating.md").filter(
      ({ command }) => !command.includes("$EDGE"),
    );
    expect(others).toEqual([]);
    expect(shown?.lines.map(stable)).toEqual(output.trim().split("\n").map(stable));
  });
});
