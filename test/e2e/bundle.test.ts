import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { version } from "../../src/runtime/version.ts";
import { buildWorker } from "../support/edge/build.ts";

it("nothing of the development programs is in the Worker", async () => {
  const metafile = join(dirname(await buildWorker()), "inputs.json");
  const { inputs } = JSON.parse(await readFile(metafile, "utf8")) as { inputs: Record<string, unknown> };
  const own = Object.keys(inputs).filter((path) => path.startsWith("src/"));
  expect(own, "this is the Worker").toContain("src/edge/pipeline.ts");
  // The page of `npm start` too, which anybody could read.
  expect(own.filter((path) => path.startsWith("src/tools/"))).toEqual([]);
  expect(own, "sentences for the docs").not.toContain("src/runtime/describe.ts");
  const bundle = await readFile(await buildWorker(), "utf8");
  expect(
    ["electricity-id", "redis-server", "node:net", "node:http", "Skip to the requests"].filter((text) =>
      bundle.includes(text),
    ),
  ).toEqual([]);
});

const gzipped = async (path: string) => gzipSync(await readFile(path), { level: 9 }).length;

it("the Worker is at most 192.8 KB gzipped, as deployed", async () => {
  // Routes that whoever deploys it has added do not count.
  const added = Math.max(
    0,
    (await gzipped("src/routes.ts")) - (await gzipped("test/support/sample-routes.ts")),
  );
  expect((await gzipped(await buildWorker())) - added).toBeLessThanOrEqual(192_800);
});

it("the version is the package's", async () => {
  const { version: packaged } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  expect(version).toBe(packaged);
});
