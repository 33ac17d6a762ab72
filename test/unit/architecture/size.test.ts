import { expect, it } from "vitest";

const MAX_LINES = 350;

const sources = import.meta.glob<string>(["../../../src/**/*.ts", "!../../../src/routes.ts"], {
  query: "?raw",
  eager: true,
  import: "default",
});

it(`no file of src has more than ${MAX_LINES} lines`, () => {
  const long = Object.entries(sources)
    .map(([path, text]) => ({
      file: path.replace("../../../", ""),
      lines: text.trimEnd().split("\n").length,
    }))
    .filter(({ lines }) => lines > MAX_LINES);
  expect(long).toEqual([]);
});
