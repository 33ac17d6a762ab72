import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../src/tools/check/run.ts";

/** The programs that write, measure or try, and what each does not know. Run in an empty folder, which stays so. */
const PROGRAMS: Record<
  string,
  { file: string; wrong: readonly (readonly [args: string[], says: RegExp])[] }
> = {
  docs: { file: "src/tools/docs/main.ts", wrong: [] },
  package: {
    file: "src/tools/package/main.ts",
    wrong: [[["--keep-surfaec"], /--keep-surfaec/]],
  },
  bench: {
    file: "test/bench/main.ts",
    wrong: [
      [["limits", "sessions"], /limits sessions/],
      [["limits", "--quick"], /limits --quick/],
      [["limits", "--only", "counts"], /limits --only counts/],
      [["--against", ""], /Not understood|against/],
      [["limts"], /no measurement limts/],
    ],
  },
  chaos: {
    file: "test/chaos/main.ts",
    wrong: [
      [["--only", "hnag"], /no fault hnag\. It has: .*hang/],
      [["quick", "--only", ""], /no fault/],
      [["database", "--only", "hang"], /database has no fault hang/],
      [["soak", "--only", "hang"], /soak has no fault hang/],
      [["--rate", "many"], /--rate is a whole number above 0, not many/],
      [["--seed", ""], /--seed is .* not nothing/],
      [["soak", "--seconds", "0"], /--seconds is .* not 0/],
      [["database", "--sessions", "-1"], /--sessions/],
    ],
  },
  "envoyou-edge": { file: "src/tools/package/cli.ts", wrong: [[["upsatsh"], /no command upsatsh/]] },
};

/** What none of them knows. */
const STRAY: readonly (readonly [args: string[], says: RegExp])[] = [
  [["--hlep"], /--hlep/],
  [["-x"], /-x/],
  [["extra"], /extra/],
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "envoyou-edge-options-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ask = (file: string, args: string[]) =>
  run("node", ["--expose-gc", resolve(file), ...args], {}, folder);

describe.each(Object.entries(PROGRAMS))("%s", (_name, { file, wrong }) => {
  it.each(["--help", "-h"])("%s prints its options, does nothing else, and is no failure", async (help) => {
    const { code, output } = await ask(file, [help]);
    expect(output).toMatch(/^Usage: /);
    expect(code).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([...STRAY, ...wrong])("%j is named, and nothing is done", async (args, says) => {
    const { code, output } = await ask(file, args);
    expect(output).toMatch(says);
    expect(output).toContain("Usage: ");
    expect(code).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("npm run upstash", () => {
  it("takes no port of nothing for any port", async () => {
    const { code, output } = await ask("src/tools/upstash-local/main.ts", ["--port", ""]);
    expect(output).toContain("--port is a number up to 65535, not nothing");
    expect(code).toBe(1);
  });

  it("says of a port in use how to take another", async () => {
    const taken = createServer();
    await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
    const { port } = taken.address() as { port: number };
    const { code, output } = await ask("src/tools/upstash-local/main.ts", [
      "--port",
      `${port}`,
      "--redis",
      "embedded",
    ]);
    await new Promise((done) => taken.close(done));
    expect(output).toContain(`Port ${port} is in use by another program`);
    expect(output).toContain("--port 0");
    expect(code).toBe(1);
  });
});
