import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { version } from "../../src/version.ts";
import { buildWorker } from "./edge/build.ts";

it("nothing of the development programs is in the Worker", async () => {
  const bundle = await readFile(await buildWorker(), "utf8");
  expect(bundle, "this is the Worker").toContain("EnvoyouEdge");
  const strangers = [
    "sample-origin",
    "upstash-local",
    "src/start",
    "src/check",
    "src/verify",
    "electricity-id",
    "redis-server",
    "node:net",
    "node:http",
  ];
  expect(strangers.filter((text) => bundle.includes(text))).toEqual([]);
});

it("the version is the package's", async () => {
  const { version: packaged } = JSON.parse(await readFile("package.json", "utf8")) as { version: string };
  expect(version).toBe(packaged);
});
