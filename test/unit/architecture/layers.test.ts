import { expect, it } from "vitest";

/** A folder imports only from the rows above its own. The folders of one row do not import each other. */
const LAYERS = [
  ["runtime"],
  ["events"],
  ["http"],
  ["config"],
  ["store"],
  ["metrics"],
  ["identity"],
  ["request"],
  ["ratelimit", "session", "response-cache", "value-cache"],
  ["origin"],
  ["edge"],
  ["endpoints"],
  ["middleware"],
  ["src"], // worker.ts, middleware.ts, index.ts, routes.ts
  ["client"],
  ["tools"],
];

const sources = import.meta.glob<string>("../../../src/**/*.ts", {
  query: "?raw",
  eager: true,
  import: "default",
});

const imports = new Map(
  Object.entries(sources).map(([path, text]) => {
    const file = path.replace("../../../src/", "");
    const targets = text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    return [
      file,
      [...targets].map(([, target]) => new URL(target ?? "", `file:///${file}`).pathname.slice(1)),
    ];
  }),
);

const folderOf = (file: string) => (file.includes("/") ? (file.split("/")[0] ?? "") : "src");
const layerOf = (folder: string) => LAYERS.findIndex((folders) => folders.includes(folder));

function brokenOrder(file: string, target: string): string[] {
  const [from, to] = [folderOf(file), folderOf(target)];
  if (from === to || layerOf(from) > layerOf(to)) return [];
  if (to === "tools") return [`${file} imports ${target}: nothing imports tools`];
  if (layerOf(from) < layerOf(to)) return [`${file} imports ${target}: ${from} stands above ${to}`];
  return [`${file} imports ${target}: ${from} and ${to} do not import each other`];
}

/** The files that a file imports, and those that they import. */
function reachedFrom(file: string): Set<string> {
  const reached = new Set<string>();
  const open = [file];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const target of imports.get(next) ?? []) {
      if (!reached.has(target)) open.push(target);
      reached.add(target);
    }
  }
  return reached;
}

it("reads every file of src, and each stands in a folder of the list", () => {
  expect(imports.size).toBeGreaterThan(100);
  expect([...imports.keys()].filter((file) => layerOf(folderOf(file)) === -1)).toEqual([]);
  expect([...imports.values()].flat().filter((target) => !imports.has(target))).toEqual([]);
});

it("no file imports from a layer below its own, and none imports itself by way of others", () => {
  const broken = [...imports].flatMap(([file, targets]) =>
    [...new Set(targets)].flatMap((target) => [
      ...brokenOrder(file, target),
      ...(reachedFrom(target).has(file) ? [`${file} imports ${target}: a circle`] : []),
    ]),
  );
  expect(broken.sort()).toEqual([]);
});
