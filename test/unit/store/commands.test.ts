import { expect, it } from "vitest";
import { storeCommands } from "../../../src/store/commands.ts";

const sources = Object.entries(
  import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/tools/**"], {
    query: "?raw",
    import: "default",
    eager: true,
  }),
).map(([path, text]) => [path, text.replace(/\/\*\*?[\s\S]*?\*\//g, "")] as const);

const found = (pattern: RegExp) =>
  sources.flatMap(([, text]) => [...text.matchAll(pattern)].map(([, name = ""]) => name.toLowerCase()));

it("lists each command that a script runs or a batch sends, and no other", () => {
  const inScripts = found(/redis\.p?call\(\s*["'](\w+)["']/g);
  const inBatches = found(/\bpipeline\.(?!exec\b|length\b)([a-z]+)\(/g);
  const asText = found(/commands: \[\["([A-Z]+)"\]\]/g);
  expect(inScripts.length).toBeGreaterThan(60);
  expect(inBatches.length).toBeGreaterThan(10);
  expect([...new Set([...inScripts, ...inBatches, ...asText])].sort()).toEqual([...storeCommands]);
});

it("no script takes the name of a command from elsewhere, where this test would not see it", () => {
  expect(found(/(redis\.p?call\(\s*[^"'\s])/g)).toEqual([]);
});
