import { expect, it } from "vitest";
import { run } from "../../../../src/tools/check/run.ts";

it.each([
  ["verify", "--limited PATH"],
  ["doctor", "--commands A,B"],
  ["check", "--var NAME:value"],
  ["upstash-local", "--redis KIND"],
])("%s --help lists the options and does nothing else", async (program, option) => {
  for (const asked of ["--help", "-h"]) {
    const { code, output } = await run("node", [`src/tools/${program}/main.ts`, asked]);
    expect([code, output.includes(option)], output).toEqual([0, true]);
  }
});

it.each([
  ["verify", ["--nope"]],
  ["upstash-local", ["--nope"]],
  ["upstash-local", ["extra"]],
])("%s says of %j what is wrong, in one line, and then the options", async (program, args) => {
  const { code, output } = await run("node", [`src/tools/${program}/main.ts`, ...args]);
  expect(code).toBeGreaterThan(0);
  expect(output.split("\n")[0]).toContain(args[0]);
  expect(output.split("\n")[1]).toBe("");
  expect(output).toMatch(/^ {2}--\w/m);
});
