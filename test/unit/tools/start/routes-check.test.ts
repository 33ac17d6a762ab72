import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { checkRoutes } from "../../../../src/tools/start/routes-check.ts";
import { RoutesReader } from "../../../../src/tools/start/routes-reader.ts";

let folder: string;
let file: string;
let reader: RoutesReader;
// One reader: each thread but the first is started beforehand.
beforeAll(() => {
  mkdirSync("dist", { recursive: true });
  folder = mkdtempSync(join("dist", "routes-check-"));
  file = join(folder, "routes.ts");
  reader = new RoutesReader(file);
});
afterAll(() => {
  reader.stop();
  rmSync(folder, { recursive: true, force: true });
});

const none = { services: [], databases: [] };
const VARS = { ORIGIN_URL: "http://localhost:4000" };
const check = (more: object = {}) =>
  checkRoutes({ file, reader, vars: VARS, bindings: none, withinMs: 100_000, ...more });
const list = (routes: string) => `export default [${routes}];\n`;
const ONE = list('{ path: "/a" }');

it.each<{ what: string; text: string; says: RegExp; vars?: object }>([
  {
    what: "a syntax error",
    text: `${ONE}const x = ;\n`,
    says: /^dist\/.*routes\.ts:2:11: Unexpected ";"\n {4}const x = ;$/,
  },
  { what: "half a file", text: "export default [", says: /routes\.ts:1:17: Unexpected end of file/ },
  {
    what: "an import of a file that is not there",
    text: `import "./none.ts";\n${ONE}`,
    says: /routes\.ts:1:8: Could not resolve "\.\/none\.ts"/,
  },
  {
    what: "a syntax error in an imported file",
    text: `import "./bad.ts";\n${ONE}`,
    says: /bad\.ts:1:7: Expected identifier but found "="/,
  },
  {
    what: "no default export",
    text: "export const routes = [];\n",
    says: /^No matching export in "dist\/.*routes\.ts" for import "default"$/,
  },
  {
    what: "a value that a route may not have",
    text: list('{ path: "a" }'),
    says: /^The configuration has an issue:\n {2}routes\[0\]\.path: .*\ndocs\/configuration\.md/,
  },
  {
    what: "a list that is none",
    text: "export default { path: '/a' };\n",
    says: /^The configuration has an issue/,
  },
  { what: "a variable", text: ONE, vars: { LOG_LEVEL: "loud" }, says: /LOG_LEVEL: found "loud"/ },
  { what: "the variable ROUTES", text: ONE, vars: { ROUTES: "[{]" }, says: /ROUTES/ },
  {
    what: "code that throws",
    text: `${ONE}throw new TypeError("at load");\n`,
    says: /^The Worker cannot be loaded: TypeError: at load$/,
  },
  {
    what: "a name that nobody has",
    text: list('{ path: "/a", limits: hour }'),
    says: /^The Worker cannot be loaded: ReferenceError: hour is not defined$/,
  },
])("says $what", async ({ text, says, vars = {} }) => {
  writeFileSync(join(folder, "bad.ts"), "const = 3;\n");
  writeFileSync(file, text);
  const { issue, rows } = await check({ vars: { ...VARS, ...vars } });
  expect(issue).toMatch(says);
  expect(rows).toBeNull();
});

it.each<{ what: string; text: string; more?: object; paths: string[] | null }>([
  { what: "a list", text: ONE, paths: ["/a"] },
  {
    what: "another file without its ending, and types that Node cannot strip",
    text: `import { Path } from "./mine";\n${list("{ path: Path.A }")}`,
    paths: ["/mine"],
  },
  {
    what: "text, a package and a module of Node's",
    text: `import text from "./path.txt";\nimport { z } from "zod";\nimport { join } from "node:path";\n${list("{ path: join(z.string().parse(text), 'b') }")}`,
    paths: ["/text/b"],
  },
  {
    what: "the variable ROUTES in its place",
    text: ONE,
    more: { vars: { ...VARS, ROUTES: '[{"path":"/b"}]' } },
    paths: ["/b"],
  },
  {
    what: "a service and a database that are bound",
    text: ONE,
    more: { vars: {}, bindings: { services: ["ORIGIN", "OTHER"], databases: ["SESSION_DB"] } },
    paths: ["/a"],
  },
  {
    what: "a name of wrangler.toml's define",
    text: list("{ path: PREFIX }"),
    more: { define: { PREFIX: '"/p"' } },
    paths: ["/p"],
  },
  {
    what: "a module that only workerd has",
    text: `import { env } from "cloudflare:workers";\n${list("{ path: env.A }")}`,
    paths: null,
  },
  {
    what: "a global that only workerd has",
    text: `${ONE}export const cache = caches.default;\n`,
    paths: null,
  },
  { what: "code that ends its process", text: `${ONE}process.exit(1);\n`, paths: null },
  { what: "code that never ends", text: `${ONE}while (true);\n`, more: { withinMs: 1500 }, paths: null },
])("has nothing against $what", async ({ text, more, paths }) => {
  writeFileSync(join(folder, "mine.ts"), 'export enum Path { A = "/mine" }\n');
  writeFileSync(join(folder, "path.txt"), "/text");
  writeFileSync(file, text);
  const { issue, rows } = await check(more);
  expect(issue).toBeNull();
  expect(rows?.map(({ path }) => path) ?? null).toEqual(paths);
});

it("names the files that the list is made of, and reads each anew", async () => {
  const mine = join(folder, "mine.ts");
  writeFileSync(file, `import { path } from "./mine.ts";\n${list("{ path }")}`);
  for (const path of ["/one", "/two"]) {
    writeFileSync(mine, `export const path = "${path}";\n`);
    const { rows, files } = await check();
    expect(rows?.map((row) => row.path)).toEqual([path]);
    expect(files?.sort()).toEqual([mine, file].map((each) => relative(".", each)).sort());
  }
});
