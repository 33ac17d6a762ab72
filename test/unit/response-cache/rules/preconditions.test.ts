import { describe, expect, test } from "vitest";
import { clientHasIt, notModifiedHeaders } from "../../../../src/response-cache/rules/preconditions.ts";
import { rangeOf } from "../../../../src/response-cache/rules/range.ts";
import { dateAt } from "../../../support/cache-samples.ts";

const LAST = dateAt(-500);

describe("the client's conditions (RFC 9111 §4.3.2)", () => {
  const served = { etag: '"a"', "last-modified": LAST, date: dateAt(0) };
  const { etag: _, ...untagged } = served;
  const { "last-modified": __, ...undated } = untagged;

  test.each<[Record<string, string>, Record<string, string>, boolean]>([
    [{}, served, false],
    [{ "if-none-match": '"a"' }, served, true],
    [{ "if-none-match": 'W/"a"' }, served, true],
    [{ "if-none-match": '"a"' }, { etag: 'W/"a"' }, true],
    [{ "if-none-match": '"x", "a,b" , "a"' }, served, true],
    [{ "if-none-match": '"a,b"' }, { etag: '"a,b"' }, true],
    [{ "if-none-match": '"a"' }, { etag: '"a,b"' }, false],
    [{ "if-none-match": "*" }, untagged, true],
    [{ "if-none-match": '"b"' }, served, false],
    [{ "if-none-match": "a" }, served, false],
    [{ "if-none-match": '"a"' }, untagged, false],
    [{ "if-none-match": '"b"', "if-modified-since": dateAt(0) }, served, false],
    [{ "if-modified-since": LAST }, served, true],
    [{ "if-modified-since": dateAt(-499) }, served, true],
    [{ "if-modified-since": dateAt(-501) }, served, false],
    [{ "if-modified-since": "yesterday" }, served, false],
    [{ "if-modified-since": dateAt(0) }, undated, true],
    [{ "if-modified-since": dateAt(-1) }, undated, false],
  ])("%j against %j: %s", (request, response, expected) => {
    const headers = new Headers(request);
    for (const method of ["GET", "HEAD"])
      expect(clientHasIt({ method, headers }, 200, new Headers(response), true), method).toBe(expected);
  });

  test.each(["POST", "OPTIONS", "PROPFIND", "SEARCH", "DELETE"])(
    "they mean nothing to a %s, whatever it is answered (RFC 9110 §13.1.3, §13.2.1)",
    (method) => {
      const headers = new Headers({ "if-none-match": "*", "if-modified-since": dateAt(0) });
      expect(clientHasIt({ method, headers }, 200, new Headers(served), true)).toBe(false);
    },
  );

  test("a Date stands in for Last-Modified in what is stored, and not in what is passed on (RFC 9110 §13.1.3)", () => {
    const request = { method: "GET", headers: new Headers({ "if-modified-since": dateAt(0) }) };
    expect(clientHasIt(request, 200, new Headers(undated), true)).toBe(true);
    expect(clientHasIt(request, 200, new Headers(undated), false)).toBe(false);
    expect(clientHasIt(request, 200, new Headers(served), false), "one with Last-Modified").toBe(true);
  });

  test.each([203, 204, 206, 301, 404, 500])(
    "conditions mean nothing to a %i (RFC 9110 §13.2.1)",
    (status) => {
      const request = { method: "GET", headers: new Headers({ "if-none-match": "*" }) };
      expect(clientHasIt(request, status, new Headers(served), true)).toBe(false);
    },
  );

  test("a 304 has what caches and browsers go by, and nothing of the content (RFC 9110 §15.4.5)", () => {
    const kept = {
      "cache-control": "max-age=60",
      "content-location": "/a",
      "content-security-policy": "default-src 'none'",
      date: dateAt(0),
      etag: '"a"',
      expires: dateAt(60),
      vary: "accept",
      age: "3",
      "access-control-allow-origin": "*",
      "cache-status": "EnvoyouEdge;hit",
    };
    const dropped = {
      "content-type": "text/plain",
      "content-length": "5",
      "content-language": "de",
      "content-encoding": "gzip",
      "content-digest": "sha-256=:AA==:",
      "content-md5": "AA==",
      "repr-digest": "sha-256=:AA==:",
      "last-modified": LAST,
      // The client may have a page of the same tag with another nonce.
      "content-security-policy-report-only": "script-src 'nonce-AAAA'",
    };
    const headers = notModifiedHeaders(new Headers({ ...kept, ...dropped }));
    expect(Object.fromEntries(headers)).toEqual(kept);
    expect(notModifiedHeaders(new Headers({ "last-modified": LAST })).get("last-modified")).toBe(LAST);
  });
});

describe("Range (RFC 9110 §14.2)", () => {
  const range = (field: string, size = 100) => {
    const answer = rangeOf(new Headers({ range: field }), new Headers(), size);
    return answer.kind === "part" ? [answer.first, answer.last] : answer.kind;
  };

  test.each<[string, [number, number] | "whole" | "unsatisfiable"]>([
    ["bytes=0-0", [0, 0]],
    ["bytes=10-19", [10, 19]],
    ["BYTES=10-19", [10, 19]],
    ["bytes=10-", [10, 99]],
    ["bytes=99-", [99, 99]],
    ["bytes=90-200", [90, 99]],
    ["bytes=-10", [90, 99]],
    ["bytes=-200", [0, 99]],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=100-200", "unsatisfiable"],
    ["bytes=99999999999999999999-", "unsatisfiable"],
    ["bytes=20-10", "whole"],
    ["bytes=0-1, 5-6", "whole"],
    // Empty elements of a list (RFC 9110 §5.6.1.2).
    ["bytes=0-1,", [0, 1]],
    ["bytes=, ,0-1 , ,", [0, 1]],
    ["bytes=,-10", [90, 99]],
    ["bytes=,", "whole"],
    ["bytes=0-1,,5-6", "whole"],
    ["bytes=-", "whole"],
    ["bytes=", "whole"],
    ["bytes=a-b", "whole"],
    ["bytes=1.5-2", "whole"],
    ["items=0-1", "whole"],
    ["0-1", "whole"],
  ])("%s of 100 bytes: %j", (field, expected) => {
    expect(range(field)).toEqual(expected);
  });

  test("of nothing", () => {
    expect(range("bytes=0-", 0)).toBe("unsatisfiable");
    expect(range("bytes=-5", 0)).toBe("whole");
  });

  test.each<[string, Record<string, string>, boolean]>([
    ['"a"', { etag: '"a"' }, true],
    ['"a"', { etag: '"b"' }, false],
    ['"a"', {}, false],
    ['W/"a"', { etag: 'W/"a"' }, false],
    ['"a"', { etag: 'W/"a"' }, false],
    [LAST, { "last-modified": LAST, date: dateAt(0) }, true],
    [LAST, { "last-modified": LAST, date: dateAt(-499) }, true],
    [LAST, { "last-modified": LAST, date: LAST }, false],
    [dateAt(0), { "last-modified": LAST, date: dateAt(0) }, false],
    [dateAt(0), { date: dateAt(0) }, false],
    ["garbage", { etag: "garbage" }, false],
  ])("If-Range: %s against %j holds: %s (§13.1.5)", (ifRange, response, holds) => {
    const answer = rangeOf(
      new Headers({ range: "bytes=0-1", "if-range": ifRange }),
      new Headers(response),
      100,
    );
    expect(answer.kind).toBe(holds ? "part" : "whole");
  });

  test("If-Range without Range is ignored", () => {
    expect(rangeOf(new Headers({ "if-range": '"a"' }), new Headers({ etag: '"a"' }), 9).kind).toBe("whole");
  });
});
