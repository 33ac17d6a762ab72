import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ignoredLines, readOwnVars } from "../../../../src/tools/start/own-vars.ts";

/** `${B}`, which is no placeholder here. */
const PLACE = `$${"{B}"}`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "own-vars-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const read = (env?: string, more: object = {}) =>
  readOwnVars({ userConfigPath: join(folder, "wrangler.toml"), vars: {}, ...more }, env);

describe(".dev.vars is read as dotenv reads it, which is what wrangler dev uses", () => {
  it.each<{ what: string; text: string; values: Record<string, string> }>([
    { what: "nothing", text: "", values: {} },
    { what: "plain values", text: "A=1\nB= two words \n", values: { A: "1", B: "two words" } },
    {
      what: "single quotes: as they stand",
      text: `A='x $HOME ${PLACE} \\n #y'\n`,
      values: { A: `x $HOME ${PLACE} \\n #y` },
    },
    { what: "double quotes: line breaks", text: 'A="x\\ny"\n', values: { A: "x\ny" } },
    { what: "backticks: both other quotes", text: "A=`a'b\"c`\n", values: { A: "a'b\"c" } },
    { what: "several lines", text: 'A="one\ntwo\nthree"\nB=2\n', values: { A: "one\ntwo\nthree", B: "2" } },
    { what: "export", text: "export A=1\n", values: { A: "1" } },
    { what: "a comment after a value", text: "A=1 # one\n# B=2\n", values: { A: "1" } },
    { what: "a hash in quotes", text: 'A="1 # one"\n', values: { A: "1 # one" } },
    { what: "an equals sign in a value", text: "A=b=c==\n", values: { A: "b=c==" } },
    { what: "CRLF", text: "A=1\r\nB=2\r\n", values: { A: "1", B: "2" } },
    { what: "a byte order mark", text: "\uFEFFA=1\n", values: { A: "1" } },
    { what: "duplicates: the last", text: "A=1\nA=2\n", values: { A: "2" } },
    { what: "an empty value", text: "A=\nB=2\n", values: { A: "", B: "2" } },
    { what: "a dollar without quotes: not expanded", text: "A=pa$HOME\n", values: { A: "pa$HOME" } },
    { what: "JSON", text: `A='[{"path":"/x"}]'\n`, values: { A: '[{"path":"/x"}]' } },
    { what: "blanks around the sign", text: "A = 1\n", values: { A: "1" } },
    { what: "no line break at the end", text: "A=1", values: { A: "1" } },
  ])("$what", ({ text, values }) => {
    write(".dev.vars", text);
    expect(read().values).toEqual(values);
  });
});

describe("which file counts", () => {
  it.each<{ files: Record<string, string>; env?: string; value: string | undefined; file: RegExp | null }>([
    { files: {}, value: undefined, file: null },
    { files: { ".dev.vars": "A=1" }, value: "1", file: /\.dev\.vars$/ },
    {
      files: { ".dev.vars": "A=1", ".dev.vars.staging": "A=2" },
      env: "staging",
      value: "2",
      file: /\.staging$/,
    },
    { files: { ".dev.vars": "A=1" }, env: "staging", value: "1", file: /\.dev\.vars$/ },
    { files: { ".dev.vars": "B=1", ".env": "A=2" }, value: undefined, file: /\.dev\.vars$/ },
    { files: { ".env": "A=2" }, value: "2", file: /\.env$/ },
    { files: { ".env": "A=2", ".env.local": "A=3" }, value: "3", file: /\.env$/ },
    { files: { ".env": `B=2\nA=${PLACE}x` }, value: "2x", file: /\.env$/ },
  ])("$files with the environment $env", ({ files, env, value, file }) => {
    for (const [name, text] of Object.entries(files)) write(name, text);
    const found = read(env);
    expect(found.values.A).toBe(value);
    if (file) expect(found.file).toMatch(file);
    else expect(found.file).toBeNull();
  });

  it("a file that cannot be read is named", async () => {
    const { mkdirSync } = await import("node:fs");
    mkdirSync(join(folder, ".dev.vars"));
    expect(() => read()).toThrow(/\.dev\.vars cannot be read/);
  });

  it("with `secrets` in wrangler.toml only those and [vars] count, and the others are named", () => {
    write(".dev.vars", "ADMIN_TOKEN=1\nORIGIN_URL=2\nOTHER=3\n");
    const found = read(undefined, { vars: { ORIGIN_URL: "x" }, secrets: { required: ["ADMIN_TOKEN"] } });
    expect(found.values).toEqual({ ADMIN_TOKEN: "1", ORIGIN_URL: "2" });
    expect(found.warnings.join("\n")).toMatch(/OTHER is not read/);
  });
});

describe("an issue in the file is said, without any value", () => {
  it.each([
    { text: "ORIGIN_URL http://secret\nA=1\n", warns: /line 1: not NAME=VALUE/ },
    { text: "A=1\n\nsecret value\nB=2\n", warns: /line 3: not NAME=VALUE/ },
    { text: 'A="secret\nB=2\n', warns: /quote that begins A is not closed/ },
    { text: "ORIGN_URL=secret\n", warns: /no variable is called ORIGN_URL\. Did you mean ORIGIN_URL\?/ },
    { text: "ADMIN_TOKN=secret\n", warns: /Did you mean ADMIN_TOKEN\?/ },
    { text: "EDGE_ORIGIN_URL=secret\n", warns: /Did you mean ORIGIN_URL\?/ },
    { text: "redisRestToken=secret\n", warns: /Did you mean UPSTASH_REDIS_REST_TOKEN\?/ },
    { text: "=secret\n", warns: /line 1/ },
  ])("$text", ({ text, warns }) => {
    write(".dev.vars", text);
    const warnings = read().warnings.join("\n");
    expect(warnings).toMatch(warns);
    expect(warnings).not.toContain("secret");
  });

  it.each([
    "A=1\n# comment\n\n",
    "export A='x\ny' # z\n",
    "\uFEFFA=1\r\nB: 2\r\n",
    "MY_OWN=1\nORIGIN_URL=x\n",
    "A=\n",
  ])("%j has none", (text) => {
    write(".dev.vars", text);
    expect(read().warnings).toEqual([]);
    expect(ignoredLines(text)).toEqual([]);
  });
});
