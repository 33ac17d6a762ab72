import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { run } from "../../src/tools/check/run.ts";
import { copyProject, type ProjectCopy } from "../support/project-copy.ts";
import { isRoutes } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

/** What the documents tell people to edit, all of it at once. `npm run check` and the tests stay as they were. */
let copy: ProjectCopy;
beforeAll(async () => {
  copy = await copyProject();
  const toml = await readFile("wrangler.toml", "utf8");
  const edited = toml
    .replace(
      /^# (\[\[d1_databases\]\]|\[triggers\]|(binding|database_\w+|migrations_dir|crons) = .*)$/gm,
      "$1",
    )
    .replace(/^name = .*/m, 'name = "my-edge"')
    .replace(
      /^ORIGIN_URL = .*/m,
      'ORIGIN_URL = "https://api.mycompany.io"\nUPSTASH_REDIS_REST_URL = "https://eu1-my-db.upstash.io"\nEDGE_MODE = "observe"\nMY_OWN = "x"',
    );
  await copy.write("wrangler.toml", `${edited}\n[[services]]\nbinding = "ORIGIN"\nservice = "my-api"\n`);
  await copy.write(
    ".dev.vars",
    "ORIGIN_URL=http://localhost:4000\nSESSION_SECRET=0123456789abcdef0123456789abcdef\nEDGE_MODE=bypass\nROUTES='[]'\n",
  );
  const [routes = ""] = blocksOf("README.md").flatMap(({ language, text }) =>
    language === "ts" && isRoutes(text) ? [text] : [],
  );
  // A form that the project's own sources do not have, and a word that they may not use.
  const word = ["fl", "ights"].join("");
  const own = `  { path: "/v1/${word}/:id", limits: [\n{ name: "own", limit: 5, window: "1 m" }] },\n]);\n`;
  await copy.write("src/routes.ts", routes.replace(/\]\);\s*$/, own));
});
afterAll(() => copy.remove());

const inCopy = (program: string, args: string[]) =>
  run(program, args, { REQUIRE_REDIS: "", REQUIRE_BROWSER: "" }, copy.folder);

it("npm run check", { timeout: 600_000 }, async () => {
  const { code, output } = await inCopy("node", ["src/tools/check/main.ts"]);
  expect(output.split("\n").filter((line) => line.startsWith("❌"))).toEqual([]);
  expect(output.match(/^✅/gm)).toHaveLength(5);
  expect(code).toBe(0);
});

it("the tests that read sources, routes and wrangler.toml", { timeout: 600_000 }, async () => {
  const files = ["test/unit/architecture", "test/unit/tools/check"];
  const { code, output } = await inCopy("vitest", [
    "run",
    "--project",
    "unit",
    "--project",
    "node",
    ...files,
  ]);
  expect(output).toMatch(/Tests: \d{3,} passed, 0 failed/);
  expect(code).toBe(0);
});
