import { describe, expect, it } from "vitest";
import { cookiePairs, cookieValue, setCookieName, withoutDomain } from "../../../src/http/cookies.ts";

describe("the pairs of a Cookie field", () => {
  const read = (header: string | null) => cookiePairs(header).map((pair) => [pair.name, cookieValue(pair)]);

  it.each<[header: string | null, pairs: [name: string, value: string][]]>([
    [null, []],
    ["", []],
    [" ; ;", []],
    [
      "a=1; b=2",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1;\tb=2 ",
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    [
      "a=1; a=2",
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["a = 1", [["a", "1"]]],
    ["a=b=c", [["a", "b=c"]]],
    ['a="quoted"', [["a", "quoted"]]],
    ["a=%41", [["a", "A"]]],
    ["a=%", [["a", "%"]]],
    // What no cookie may hold is read as it stands.
    ['a="open', [["a", "open"]]],
    ["a=b\\c", [["a", "b\\c"]]],
    // A no-break space belongs to the name.
    ["\u00a0a=1", [["\u00a0a", "1"]]],
  ])("%j: %j", (header, pairs) => {
    expect(read(header)).toEqual(pairs);
  });

  it("keep their text", () => {
    expect(cookiePairs(' a="1" ;b=%41').map(({ text }) => text)).toEqual(['a="1"', "b=%41"]);
  });
});

describe("a Set-Cookie field", () => {
  it.each([
    ["a=1; Path=/", "a"],
    [" a =1", "a"],
    ["a; Path=/", "a"],
  ])("%j sets %j", (field, name) => {
    expect(setCookieName(field)).toBe(name);
  });

  it.each([
    ["a=1; Domain=.Example.com; Path=/", "a=1; Path=/"],
    ["a=1; domain = example.com ", "a=1"],
    ["a=1; Domain=other.example; Path=/", "a=1; Domain=other.example; Path=/"],
    ["domain=example.com; Path=/", "domain=example.com; Path=/"],
  ])("%j without its domain is %j", (field, without) => {
    expect(withoutDomain(field, (domain) => domain === "example.com")).toBe(without);
  });
});
