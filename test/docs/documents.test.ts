import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";
import { limitBase, limitKeys } from "../../src/config/limit-input.ts";
import { cacheSchema, routeSchema } from "../../src/config/routes-schema.ts";
import { variables } from "../../src/config/variables-table.ts";
import { loadConfig } from "../../src/edge/load-config.ts";
import { algorithms } from "../../src/ratelimit/algorithms/algorithms.ts";
import { createKeys } from "../../src/store/keys.ts";
import { anchorsOf, blocksOf, markdownFiles, relativeLinks } from "./markdown.ts";

const PAGES = [
  "architecture.md",
  "caching.md",
  "compared.md",
  "configuration.md",
  "console.md",
  "limits.md",
  "migrating.md",
  "operating.md",
  "routes.md",
  "sessions.md",
  "your-api.md",
];

describe("the pages", () => {
  it("README.md has at most 150 lines", () => {
    expect(readFileSync("README.md", "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(150);
  });

  it("docs/ holds eleven pages, the reports of the package, the examples and the images, and no more", () => {
    // docs/configuration.md is generated from the schema; its own test says when it is stale.
    expect([...new Set([...readdirSync("docs"), "configuration.md"])].sort()).toEqual(
      [...PAGES, "api", "examples", "images"].sort(),
    );
  });

  it.each(PAGES)("README.md leads to docs/%s", (page) => {
    expect(relativeLinks("README.md").map((target) => target.replace(/#.*$/, ""))).toContain(`docs/${page}`);
  });

  it("README.md names the settings that docs/configuration.md says one must make", () => {
    const settings = (text: string) =>
      [...text.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name = ""]) => name).sort();
    const [, must = ""] = readFileSync("docs/configuration.md", "utf8").split(/^## /m);
    expect(settings(readFileSync("README.md", "utf8"))).toEqual(settings(must));
  });

  it("LICENSE and CHANGELOG.md are there", () => {
    expect(readFileSync("LICENSE", "utf8")).toMatch(/^MIT License\n/);
    expect(readFileSync("CHANGELOG.md", "utf8")).toContain("## [Unreleased]");
  });
});

describe.each(markdownFiles())("%s", (file) => {
  it("links to files and headings that exist", () => {
    const broken = relativeLinks(file).filter((target) => {
      const [path = "", anchor] = decodeURI(target).split("#");
      const linked = path === "" ? file : normalize(join(dirname(file), path));
      if (!existsSync(linked)) return true;
      return anchor !== undefined && linked.endsWith(".md") && !anchorsOf(linked).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("names files of the repository that exist", () => {
    const text = readFileSync(file, "utf8");
    const named = [...text.matchAll(/`((?:src|test|docs)\/[\w./-]+\.(?:ts|md))`/g)].map(
      ([, path = ""]) => path,
    );
    expect(named.filter((path) => !existsSync(path))).toEqual([]);
  });
});

describe("tests that a document names", () => {
  it(".github/SECURITY.md: every one exists", () => {
    const text = readFileSync(".github/SECURITY.md", "utf8");
    const short = [...text.matchAll(/`([\w-]+\.test\.ts)`/g)].map(([, name = ""]) => name);
    const known = readdirSync("test", { recursive: true, encoding: "utf8" }).map((path) =>
      path.split("/").at(-1),
    );
    expect(short.filter((name) => !known.includes(name))).toEqual([]);
  });

  it(".github/SECURITY.md: each threat has one", () => {
    const [, table = ""] = readFileSync(".github/SECURITY.md", "utf8").split(
      "| threat | defence | test |\n|---|---|---|\n",
    );
    const threats = (table.split("\n\n")[0] ?? "").split("\n").map((row) => row.split(" | "));
    expect(threats.length).toBeGreaterThan(30);
    const untested = threats.filter(([, , tests = ""]) => {
      const named = [...tests.matchAll(/`(test\/[\w./-]+\.(?:test\.ts|md))`/g)].map(([, path = ""]) => path);
      return named.length === 0 || named.some((path) => !existsSync(path));
    });
    expect(untested.map(([threat]) => threat)).toEqual([]);
  });

  it("test/conformance/asvs.md: every one exists", () => {
    const text = readFileSync("test/conformance/asvs.md", "utf8");
    const named = [...text.matchAll(/`((?:unit|contract|e2e)\/[\w/-]+)`/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !existsSync(`test/${name}.test.ts`))).toEqual([]);
  });

  it("test/conformance/rfc9111.md: every one exists", () => {
    const text = readFileSync("test/conformance/rfc9111.md", "utf8");
    const cells = text.split("\n").filter((line) => line.startsWith("| §"));
    const named = cells.flatMap((row) =>
      [...row.matchAll(/(?<=[|;.] )((?:e2e\/|contract\/)?[a-z][a-z-]*):/g)].map(([, name = ""]) => name),
    );
    expect(named.length).toBeGreaterThan(50);
    expect(
      [...new Set(named)].filter((name) => !existsSync(`test/${conformanceFile(name)}.test.ts`)),
    ).toEqual([]);
  });
});

/** The table writes file names short; its introduction says where each kind stands. */
function conformanceFile(name: string): string {
  if (name.startsWith("e2e/")) return name;
  if (name.startsWith("contract/")) return name.replace("contract/", "contract/response-cache/");
  return name === "http-date" ? "unit/http/http-date" : `unit/response-cache/rules/${name}`;
}

describe("the handlers' example", () => {
  it("stands in docs/routes.md as it is in docs/examples/handlers.ts", () => {
    const file = readFileSync("docs/examples/handlers.ts", "utf8").trimEnd();
    const shown = blocksOf("docs/routes.md").map(({ text }) => text.trimEnd());
    expect(shown).toContain(file);
  });
});

it("docs/configuration.md: each key has a sentence of its own", () => {
  const sections = readFileSync("docs/configuration.md", "utf8").split(/^##+ /m);
  const repeated = sections.flatMap((section) => {
    const said = section
      .split("\n")
      .flatMap((line) => (/^\| `/.test(line) ? [line.split(" | ").at(-1) ?? ""] : []));
    return said.filter((sentence, index) => said.indexOf(sentence) !== index);
  });
  expect(repeated).toEqual([]);
});

it("docs/architecture.md has each key of src/store/keys.ts, and no other", () => {
  const rows = (file: string) =>
    [...readFileSync(file, "utf8").matchAll(/\| `(\{(?:limits|sessions|cache)\}:[^`]+)` \|/g)].map(
      ([, key]) => key,
    );
  const documented = rows("docs/architecture.md");
  expect(documented).toEqual(rows("src/store/keys.ts"));
  const prefixes = { cache: "{cache}", rateLimit: "{limits}", session: "{sessions}" };
  const made = Object.values(createKeys(prefixes)).map((key) =>
    (key as (...names: string[]) => string)("N", "N"),
  );
  // `@upstash/ratelimit` appends the number of the window.
  const named = documented.map((key = "") =>
    key.replace(":{window number}", "").replaceAll(/(?<=:)\{[^}]+\}/g, "N"),
  );
  expect(made.sort()).toEqual(named.sort());
});

describe("problem codes", () => {
  it("docs/your-api.md has each code of the source, and no other", () => {
    const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
      (path) => path.endsWith(".ts") && !path.startsWith("tools/"),
    );
    const used = sources.flatMap((path) => codesIn(path, readFileSync(`src/${path}`, "utf8")));
    const table = [...readFileSync("docs/your-api.md", "utf8").matchAll(/^\| `([A-Z][A-Z_]+)` \|/gm)];
    expect(used.length).toBeGreaterThan(20);
    expect(table.map(([, code = ""]) => code).sort()).toEqual([...new Set(used)].sort());
  });
});

/** Codes that a source says, or that it has as the keys of a catalogue of problems. */
function codesIn(path: string, text: string): string[] {
  const said = text.split("\n").filter((line) => /\bcode\b/.test(line));
  const literals = said.flatMap((line) => [...line.matchAll(/"([A-Z]+(?:_[A-Z]+)+)"/g)]);
  const keys = /problem/.test(path) ? [...text.matchAll(/^ {2}([A-Z]+(?:_[A-Z]+)+): \{/gm)] : [];
  return [...literals, ...keys].map(([, code = ""]) => code);
}

describe("tables of keys that a page shows beside docs/configuration.md", () => {
  it.each([
    ["docs/routes.md", "## Keys of a route", routeSchema.shape],
    ["docs/limits.md", "## Keys of a limit", { ...limitBase, ...limitKeys(algorithms).window }],
    ["docs/caching.md", "## Keys of `cache`", cacheSchema.shape],
  ] as const)("%s has each key of the schema, and no other", (file, heading, shape) => {
    const [, section = ""] = readFileSync(file, "utf8").split(`${heading}\n`);
    const [table = ""] = section.split("\n\n").filter((block) => block.trimStart().startsWith("|"));
    const keys = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, key = ""]) => key);
    expect(keys.sort()).toEqual(Object.keys(shape).sort());
  });
});

/** `NAME = "value"` of a variable, in the text of a page. `…` stands for any value. */
function valuesIn(text: string): [name: string, value: string][] {
  return [...text.matchAll(/`([A-Z][A-Z_]+) ?= ?"?([^`"]+)"?`/g)].flatMap(([, name = "", value = ""]) =>
    name in variables && !value.startsWith("…") ? [[name, value.replaceAll("<hex>", "0".repeat(32))]] : [],
  );
}

describe("values of variables that a page tells one to set", () => {
  const values = markdownFiles().flatMap((file) =>
    valuesIn(readFileSync(file, "utf8")).map(([name, value]) => ({ file, name, value })),
  );

  it.each(values)("$file: $name = $value is one that the Worker takes", ({ name, value }) => {
    expect(() => loadConfig({ ORIGIN_URL: "https://api.example.com", [name]: value }, [])).not.toThrow();
  });

  it("are found, and a wrong one is", () => {
    expect(values.map(({ name }) => name)).toEqual(expect.arrayContaining(["DENY_LIST", "EDGE_MODE"]));
    for (const [name, value] of valuesIn('`DENY_LIST = "hash:<hex>"`'))
      expect(() => loadConfig({ [name]: value }, [])).toThrow("DENY_LIST");
  });
});

it("docs/routes.md has each of the edge's own paths outside of its sessions", () => {
  const [, section = ""] = readFileSync("docs/routes.md", "utf8").split("## Paths that the edge owns\n");
  const [table = ""] = section.split("\n\n").filter((block) => block.startsWith("|"));
  const { paths } = JSON.parse(readFileSync("public/edge/openapi.json", "utf8")) as { paths: object };
  const others = Object.keys(paths).filter((path) => !path.startsWith("/auth/") && !path.includes("{file}"));
  // `POST /edge/users/sign-out`, `export` and `delete` stand in one row.
  const short = (path: string) => path.replace("{key}", "hash:{hex}").replace(/^\/edge\/users\//, "");
  expect(others.length).toBeGreaterThan(15);
  const isThere = (path: string) => ["`", "?"].some((end) => table.includes(`${short(path)}${end}`));
  expect(others.filter((path) => !isThere(path))).toEqual([]);
});
