import { describe, expect, it } from "vitest";
import { headersFrom } from "../../../src/http/headers-from.ts";

describe("fields as Headers", () => {
  it.each<[what: string, fields: [string, string][]]>([
    ["nothing", []],
    ["one", [["etag", '"1"']]],
    [
      "several",
      [
        ["date", "now"],
        ["age", "1"],
        ["vary", "accept"],
      ],
    ],
    [
      "a name twice",
      [
        ["vary", "accept"],
        ["vary", "origin"],
      ],
    ],
    [
      "cookies, which are never joined",
      [
        ["set-cookie", "a=1, b"],
        ["set-cookie", "c=2"],
      ],
    ],
    [
      "a name in any case",
      [
        ["ETag", '"1"'],
        ["etag", '"2"'],
      ],
    ],
    ["blanks around a value", [["x-a", "\t b "]]],
    ["an empty value", [["x-a", ""]]],
    ["bytes above ASCII", [["x-a", "caf\u00e9"]]],
    [
      "names in any order",
      [
        ["z", "1"],
        ["a", "2"],
      ],
    ],
  ])("%s: as the constructor reads the same list", (_what, fields) => {
    const made = headersFrom(fields);
    const constructed = new Headers(fields);
    expect([...made]).toEqual([...constructed]);
    expect(made.getSetCookie()).toEqual(constructed.getSetCookie());
  });

  it.each<[name: string, value: string]>([
    ["a b", "x"],
    ["x-a", "one\r\ntwo"],
    ["x-a", "nul\0"],
  ])("%j: %j is refused, as by the constructor", (name, value) => {
    expect(() => new Headers([[name, value]])).toThrow(TypeError);
    expect(() => headersFrom([[name, value]])).toThrow(TypeError);
  });
});
