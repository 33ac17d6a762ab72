import { describe, expect, test } from "vitest";
import { mostRecent, selectingFields, variantKey } from "../../../../src/response-cache/rules/vary.ts";
import { dateAt, NOON, stored } from "../../../support/cache-samples.ts";

describe("selecting fields (RFC 9110 §12.5.5)", () => {
  test.each<[string, string[] | "*"]>([
    ["Accept", ["accept"]],
    ["X-B, accept, X-b", ["accept", "x-b"]],
    [", ,accept,,", ["accept"]],
    ["", []],
    ["*", "*"],
    ["accept, *", "*"],
    // A name, and not to be told from none in the store.
    ["-", "*"],
    ["accept, -", "*"],
    ["--", ["--"]],
    ["accept encoding", "*"],
    ['"accept"', "*"],
    // What the origin is sent under these names is not the client's to say.
    ["X-User-Id", "*"],
    ["accept, x-user-tier", "*"],
    ["x-forwarded-for", "*"],
    ["traceparent", "*"],
    ["x_forwarded_for", "*"],
    ["if-none-match", "*"],
    ["range", "*"],
    ["cf-ipcountry", ["cf-ipcountry"]],
    ["cache-control", ["cache-control"]],
  ])("Vary: %j", (vary, expected) => {
    expect(selectingFields(new Headers({ vary }))).toEqual(expected);
  });

  test.each<[vary: string | null, coding: string, expected: string[] | "*"]>([
    [null, "gzip", ["accept-encoding"]],
    ["Accept-Encoding", "br", ["accept-encoding"]],
    ["Accept-Language", "zstd", ["accept-encoding", "accept-language"]],
    ["*", "gzip", "*"],
    [null, "identity", []],
  ])(
    "Vary: %j beside Content-Encoding: %s: the coding was chosen by Accept-Encoding",
    (vary, coding, expected) => {
      const fields = { "content-encoding": coding, ...(vary !== null && { vary }) };
      expect(selectingFields(new Headers(fields))).toEqual(expected);
    },
  );

  test.each<[vary: string | null, allowed: string, expected: string[] | "*"]>([
    [null, "https://app.example", ["origin"]],
    ["Accept", "https://app.example", ["accept", "origin"]],
    ["Origin", "https://app.example", ["origin"]],
    [null, "null", ["origin"]],
    [null, "", ["origin"]],
    [null, "*", []],
    ["*", "https://app.example", "*"],
  ])(
    "Vary: %j beside Access-Control-Allow-Origin: %j: it was chosen by Origin",
    (vary, allowed, expected) => {
      const fields = { "access-control-allow-origin": allowed, ...(vary !== null && { vary }) };
      expect(selectingFields(new Headers(fields))).toEqual(expected);
    },
  );

  test("lines add up, and no Vary selects by nothing", () => {
    const headers = new Headers({ vary: "x-a" });
    headers.append("vary", "");
    headers.append("vary", "x-b");
    expect(selectingFields(headers)).toEqual(["x-a", "x-b"]);
    headers.append("vary", "*");
    expect(selectingFields(headers)).toBe("*");
    expect(selectingFields(new Headers())).toEqual([]);
  });
});

describe("matching requests (RFC 9111 §4.1)", () => {
  const same = (name: string, one: string | null, other: string | null) => {
    const key = (value: string | null) =>
      variantKey([name], new Headers(value === null ? {} : { [name]: value }));
    return key(one) === key(other);
  };

  test.each<[string, string | null, string | null, boolean]>([
    ["accept", "text/html,text/plain", "text/html ,  text/plain", true],
    ["accept", "text/html, text/plain", "text/plain, text/html", false],
    ["accept-language", "de, EN;q=0.5", "DE,en;q=0.5", true],
    ["accept-encoding", "gzip,br", ",gzip, br,", true],
    ["x-kind", " a ", "a", true],
    ["x-kind", "a", "A", false],
    ["x-kind", "a, b", "a,b", false],
    ["x-kind", null, null, true],
    ["x-kind", null, "", false],
    ["accept", 'a/b;q="x,y"', 'a/b;q="x, y"', false],
  ])("%s: %j and %j match: %s", (name, one, other, expected) => {
    expect(same(name, one, other)).toBe(expected);
  });

  test("the key is canonical: neither order nor repetition of the fields matters", () => {
    const headers = new Headers({ "x-a": "1", "x-b": "2" });
    expect(variantKey(["x-b", "x-a", "x-b"], headers)).toBe('[["x-a","1"],["x-b","2"]]');
    expect(variantKey([], headers)).toBe("[]");
  });

  test("no two different requests share a key by what stands in their values", () => {
    const key = (a: string, b: string) => variantKey(["x-a", "x-b"], new Headers({ "x-a": a, "x-b": b }));
    expect(key('1"],["x-b","2', "3")).not.toBe(key("1", '2"],["x-b","3'));
  });
});

describe("several that match (RFC 9111 §4)", () => {
  const older = stored({ date: dateAt(-60), "x-name": "older" }, { responseTime: NOON + 1 });
  const newer = stored({ date: dateAt(0), "x-name": "newer" });
  const newest = stored({ date: dateAt(0), "x-name": "newest" }, { responseTime: NOON + 1 });

  test("the most recent by Date is used, then by arrival", () => {
    expect(mostRecent([older, newer])).toBe(newer);
    expect(mostRecent([newer, older])).toBe(newer);
    expect(mostRecent([newer, newest, older])).toBe(newest);
    expect(mostRecent([])).toBeNull();
  });
});
