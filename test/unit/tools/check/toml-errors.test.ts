import { describe, expect, it } from "vitest";
import { checkConfiguration } from "../../../../src/tools/check/configuration.ts";
import { HEAD, wranglerToml } from "../../../support/wrangler-toml.ts";

const FIRST_LINE = HEAD.split("\n").length;

/** What is written below the head of a wrangler.toml, the line of it that is told (from 1), and words of the fix. */
const ROWS: readonly (readonly [written: string, line: number, fix: RegExp])[] = [
  ["[vars]\nORIGIN_URL = https://api.example.com", 2, /ORIGIN_URL without quotes\. Put the text in quotes/],
  ["[vars]\nREDIS_CACHE_TTL = 010", 2, /REDIS_CACHE_TTL without quotes/],
  ["[vars]\nSTORE_DEADLINE_MS = 400ms", 2, /STORE_DEADLINE_MS without quotes/],
  ["[vars]\nUSE_REDIS_CACHE = True", 2, /Write true or false/],
  ["[vars]\nUSE_REDIS_CACHE = off", 2, /Write true or false/],
  ["[vars]\nDENY_LIST = null", 2, /TOML has no null\. Remove the line/],
  ["[vars]\nDENY_LIST =", 2, /DENY_LIST without a value/],
  ["[vars]\nDENY_LIST = # nobody", 2, /DENY_LIST without a value/],
  ['[vars]\nLOG_LEVEL: "debug"', 2, /a : after a name\. Write NAME = "value"/],
  ['[vars]\nLOG_LEVEL "debug"', 2, /each line has an =/],
  ['[vars]\nLOG_LEVEL = "debug', 2, /Close the quote/],
  ["[vars]\nLOG_LEVEL = 'debug\"", 2, /Close the quote/],
  ['[vars]\nLOG_LEVEL = "debug",\nEDGE_MODE = "observe"', 2, /a comma after LOG_LEVEL\. Remove it/],
  ['[vars]\nLOG_LEVEL = "debug" EDGE_MODE = "observe"', 2, /Each setting has a line of its own/],
  ['[vars]\nROUTES = "[{"path":"/a"}]"', 2, /in single quotes/],
  ["[vars]\nREDIS_CACHE_PREFIX = 'it's'", 2, /in double quotes/],
  ['[vars]\nDENY_LIST = "a\\q"', 2, /single quotes, or write \\\\ for each backslash/],
  ['[vars]\nLOG LEVEL = "debug"', 2, /a name has letters, digits, _ and -/],
  ['[vars]\nA = "1"\nA = "2"', 3, new RegExp(`It stands in line ${FIRST_LINE + 1} too`)],
  [
    '[vars]\nA = "1"\n[vars]\nB = "2"',
    3,
    new RegExp(`\\[vars\\] for the second time\\. It begins in line ${FIRST_LINE}`),
  ],
  ['[vars\nA = "1"', 1, /a table's name that is not closed/],
  ['[vars]]\nA = "1"', 1, /brackets of a table's name that do not match/],
  ['export ORIGIN_URL="https://a.example"', 1, /a line of a shell\. Remove its first word/],
  ['// the origin\n[vars]\nA = "1"', 1, /Begin it with #/],
];

describe("a wrangler.toml that wrangler cannot read is told as line and fix", () => {
  it.each(ROWS)("%j", async (written, line, fix) => {
    const { issue, warnings } = checkConfiguration(await wranglerToml(written), undefined, {}, []);
    expect(issue).toMatch(fix);
    expect(issue).toMatch(new RegExp(`^wrangler\\.toml:${FIRST_LINE + line - 1}: found `));
    expect(warnings).toEqual([]);
  });

  // https://github.com/cloudflare/cloudflare-docs/pull/5290: an example with the quotes of a word processor.
  it("typographic quotes", async () => {
    const written = "routes = [{ pattern = “example.com/about”, zone_id = “1” }]";
    const { issue } = checkConfiguration(await wranglerToml(written), undefined, {}, []);
    expect(issue).toMatch(new RegExp(`^wrangler\\.toml:${FIRST_LINE}: .*Write straight quotes`));
  });

  it("JSON under the name of TOML", async () => {
    const { issue } = checkConfiguration(await wranglerToml('{ "name": "edge" }', ""), undefined, {}, []);
    expect(issue).toMatch(/^wrangler\.toml:1: found JSON\..*wrangler\.jsonc/);
  });

  it("and never shows a value, which may be a secret", async () => {
    for (const line of ["SESSION_SECRET = hunter2", 'SESSION_SECRET = "hunter2', "SESSION_SECRET: hunter2"]) {
      const { issue } = checkConfiguration(await wranglerToml(`[vars]\n${line}`), undefined, {}, []);
      expect(issue).toMatch(/^wrangler\.toml:\d+: /);
      expect(issue).not.toContain("hunter2");
    }
  });
});

it.each([
  ['workers_dev = "no"', /^wrangler\.toml: Expected "workers_dev" to be of type boolean/],
  ["main = 3", /"main" to be of type string/],
  ['services = { binding = "ORIGIN", service = "api" }', /"services" should be an array/],
])("a value that wrangler refuses is told in its words: %s", async (written, words) => {
  const head = written.startsWith("main") ? 'name = "edge"\n' : HEAD;
  expect(checkConfiguration(await wranglerToml(written, head), undefined, {}, []).issue).toMatch(words);
});

it("a file that is not there is an issue, and no stack", async () => {
  const { issue } = checkConfiguration("no-such-folder/wrangler.toml", undefined, {}, []);
  expect(issue).toMatch(/^wrangler\.toml: /);
});
