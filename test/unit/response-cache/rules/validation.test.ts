import { describe, expect, test } from "vitest";
import { freshened } from "../../../../src/response-cache/rules/freshening.ts";
import type { StoredResponse } from "../../../../src/response-cache/rules/stored.ts";
import { storing } from "../../../../src/response-cache/rules/storing.ts";
import {
  checkedByHead,
  confirmedBy,
  originRequestHeaders,
  validationCandidates,
} from "../../../../src/response-cache/rules/validation.ts";
import { dateAt, exchange, NOON, stored } from "../../../support/cache-samples.ts";

const LAST = dateAt(-500);
const tagged = (etag: string, changes: Partial<StoredResponse> = {}) => stored({ etag }, changes);

/** The conditions of the request to the origin. */
function conditions(variants: StoredResponse[], selected: StoredResponse | null, request = {}) {
  const headers = originRequestHeaders(new Headers(request), validationCandidates(variants, selected));
  return [headers.get("if-none-match"), headers.get("if-modified-since")];
}

describe("asking the origin (RFC 9111 §4.3.1)", () => {
  const a = tagged('"a"');
  const b = tagged('"b"');

  test("the stored entity tag and Last-Modified are sent", () => {
    const both = stored({ etag: '"a"', "last-modified": LAST });
    expect(conditions([both], both)).toEqual(['"a"', LAST]);
    const weak = tagged('W/"a"');
    expect(conditions([weak], weak)).toEqual(['W/"a"', null]);
  });

  test.each<[fields: Record<string, string>, sent: Record<string, string>]>([
    [{ accept: "a/b" }, { accept: "a/b" }],
    [{ accept: "a/b", "if-none-match": '"x"' }, { accept: "a/b" }],
    [{ "if-modified-since": LAST }, {}],
    [{ "if-range": '"x"', range: "bytes=0-1", accept: "a/b" }, { accept: "a/b" }],
    [{ Range: "bytes=0-1" }, {}],
    [{ "if-match": '"x"' }, { "if-match": '"x"' }],
  ])("without candidates %j is sent as %j, and the client's fields are left as they are", (fields, sent) => {
    const headers = new Headers(fields);
    expect(Object.fromEntries(originRequestHeaders(headers, []))).toEqual(sent);
    expect(Object.fromEntries(headers)).toEqual(Object.fromEntries(new Headers(fields)));
  });

  test("so are the tags of the other variants, each once", () => {
    expect(conditions([a, b, tagged('"a"')], b)).toEqual(['"b", "a"', null]);
    expect(conditions([a, b], null)).toEqual(['"a", "b"', null]);
  });

  test("but not another's weak tag, nor one that somebody's credentials brought", () => {
    expect(conditions([a, tagged('W/"w"'), tagged('"c"', { credentials: true })], a)).toEqual(['"a"', null]);
    const own = tagged('"c"', { credentials: true });
    expect(conditions([own], own)).toEqual(['"c"', null]);
  });

  test.each<[string[], string | null]>([
    [[], '"a", "b"'],
    [["accept"], '"a", "b"'],
    [["accept-charset", "accept-encoding", "accept-language"], '"a", "b"'],
    [["x-tenant"], null],
    [["accept-language", "x-tenant"], null],
    [["cookie"], null],
    [["origin"], null],
    [["user-agent"], null],
    [["accept-profile"], null],
    [["prefer"], null],
  ])("where the URL varies by %j, the tags of others are %j", (vary, tags) => {
    const [one, other] = [tagged('"a"', { vary }), tagged('"b"', { vary })];
    expect(conditions([one, other], null)[0]).toBe(tags);
    expect(conditions([one, other], one)[0], "its own always").toBe(tags ?? '"a"');
    expect(conditions([one, tagged('"b"')], null)[0], "of one variant that is for anybody").toBe(tags);
  });

  test("a date is sent alone: beside tags an origin would not look at it", () => {
    const dated = stored({ "last-modified": LAST });
    expect(conditions([a, dated], dated)).toEqual([null, LAST]);
    expect(conditions([dated], null)).toEqual([null, null]);
  });

  test("what is no validator is not sent", () => {
    const bare = stored({ etag: "unquoted", "last-modified": "yesterday" });
    expect(conditions([bare], bare)).toEqual([null, null]);
  });

  test("the client's own conditions and range stay with the edge, and the rest of its fields goes on", () => {
    const request = {
      "if-none-match": '"client"',
      "if-modified-since": dateAt(0),
      "if-range": '"client"',
      range: "bytes=0-1",
      accept: "text/plain",
      "cache-control": "no-cache",
    };
    const headers = originRequestHeaders(new Headers(request), [a]);
    expect([...headers]).toEqual([
      ["accept", "text/plain"],
      ["cache-control", "no-cache"],
      ["if-none-match", '"a"'],
    ]);
  });
});

describe("which one a 304 confirms (RFC 9111 §4.3.4)", () => {
  const a = tagged('"a"');
  const weak = tagged('W/"a"', { responseTime: NOON + 1 });
  const dated = stored({ "last-modified": LAST });
  const bare = stored();

  test.each<[string, Record<string, string>, StoredResponse[], StoredResponse | null]>([
    ["a strong tag, the one that has it", { etag: '"a"' }, [tagged('"b"'), a], a],
    ["a strong tag, the only one that was asked about, by its weak form", { etag: '"a"' }, [weak], weak],
    ["a strong tag, not one of several by its weak form", { etag: '"a"' }, [weak, tagged('"b"')], null],
    ["a strong tag, not the weak form of another", { etag: '"a"' }, [tagged('W/"b"')], null],
    ["a strong tag, none that has another", { etag: '"a"' }, [tagged('"b"')], null],
    ["a strong tag, none by its date", { etag: '"a"', "last-modified": LAST }, [dated], null],
    ["a weak tag, the most recent that corresponds", { etag: 'W/"a"' }, [a, weak], weak],
    ["a weak tag, none that has another", { etag: 'W/"c"' }, [a, weak], null],
    ["a date, the one that has it", { "last-modified": LAST }, [a, dated], dated],
    ["a date, none that has another", { "last-modified": dateAt(-1) }, [dated], null],
    ["no validator, the only one that was asked about", {}, [dated], dated],
    ["no validator, the only one, which has none either", {}, [bare], bare],
    ["no validator, none of several", {}, [a, dated], null],
    ["no validator, none where none was asked about", {}, [], null],
  ])("%s", (_, fields, candidates, expected) => {
    expect(confirmedBy(new Headers(fields), candidates)).toBe(expected);
  });
});

describe("what a 304 changes (RFC 9111 §3.2)", () => {
  const before = stored(
    {
      etag: '"a"',
      age: "50",
      "cache-control": "max-age=60",
      "content-type": "text/plain",
      "content-length": "5",
      "x-kept": "1",
      "x-changed": "1",
    },
    { status: 203 },
  );
  const updated = (update: Record<string, string>) => freshened(before, new Headers(update)).headers;

  test("fields are replaced and added, the others and the status stay", () => {
    const headers = updated({
      "x-changed": "2",
      "x-new": "2",
      "cache-control": "max-age=90",
      "repr-digest": "sha-256=:AA==:",
    });
    expect([headers.get("x-changed"), headers.get("x-new"), headers.get("x-kept")]).toEqual(["2", "2", "1"]);
    expect([headers.get("cache-control"), headers.get("repr-digest")]).toEqual([
      "max-age=90",
      "sha-256=:AA==:",
    ]);
    expect(freshened(before, new Headers()).status).toBe(203);
  });

  test.each([
    ...["content-length", "content-encoding", "content-range", "transfer-encoding"],
    ...["content-digest", "content-md5"],
  ])("%s describes the stored bytes and stays", (name) => {
    expect(updated({ [name]: "9" }).get(name)).toBe(name === "content-length" ? "5" : null);
  });

  test.each([
    ['W/"a"', '"a"', 'W/"a"'],
    ['W/"a"', 'W/"a"', 'W/"a"'],
    ['"a"', 'W/"a"', 'W/"a"'],
    ['W/"a"', '"b"', '"b"'],
    ['"a"', '"a"', '"a"'],
  ])("the stored tag %s is %s in a 304: %s", (etag, update, expected) => {
    expect(freshened(tagged(etag), new Headers({ etag: update })).headers.get("etag")).toBe(expected);
  });

  /** The type of what is stored, and what a 304 says. */
  test.each<[type: string | null, update: string, expected: string | null]>([
    // What frameworks say of every answer without content.
    ["application/json", "text/html; charset=utf-8", "application/json"],
    ["text/css", "text/html", "text/css"],
    ["image/svg+xml", "text/plain", "image/svg+xml"],
    ["application/json", "", "application/json"],
    [null, "text/html", null],
    ["application/json", "application/octet-stream", "application/json"],
    // What somebody has chosen.
    ["application/json", "application/problem+json", "application/problem+json"],
    [null, "image/png", "image/png"],
    ["text/plain", "text/plain;charset=utf-8", "text/plain;charset=utf-8"],
    ["Text/Plain; charset=utf-8", "text/plain", "text/plain"],
    ["text/plain", "Text/Plain ; charset=utf-8", "Text/Plain ; charset=utf-8"],
  ])("the stored content of type %j has a 304 that says %j", (type, update, expected) => {
    const { headers } = freshened(
      stored({ etag: '"a"', ...(type !== null && { "content-type": type }) }),
      new Headers({ "content-type": update }),
    );
    expect(headers.get("content-type")).toBe(expected);
  });

  /** What is stored varies by these, and a 304 names those: what compresses or negotiates content adds its name to content alone. */
  test.each<[vary: string | null, update: string | null, expected: string | null]>([
    ["Accept-Encoding, Origin", "Origin", "Origin, Accept-Encoding"],
    ["Accept", "Origin, Accept-Language", "Origin, Accept-Language, Accept"],
    ["Accept, Origin", "origin, accept", "origin, accept"],
    ["Accept", "", "Accept"],
    ["Accept", null, "Accept"],
    ["Accept", "*", "*"],
    [null, "Origin", "Origin"],
    [null, null, null],
  ])("what varies by %j varies by it still where a 304 says %j", (vary, update, expected) => {
    const { headers } = freshened(
      stored({ etag: '"a"', ...(vary !== null && { vary }) }),
      new Headers(update === null ? {} : { vary: update }),
    );
    expect(headers.get("vary")).toBe(expected);
  });

  /** Whether the stored policy stays, where a 304 has another: the scripts of what is stored have its nonce. */
  test.each<[stored: string, update: string, stays: boolean]>([
    ["script-src 'nonce-AAAA'", "script-src 'nonce-BBBB'", true],
    ["script-src 'NONCE-AAAA'", "default-src 'none'; script-src 'Nonce-BBBB' 'strict-dynamic'", true],
    ["script-src 'nonce-AAAA'", "script-src 'self'", false],
    ["script-src 'self'", "script-src 'nonce-BBBB'", false],
    ["script-src 'self'", "script-src 'none'", false],
    ["script-src nonce-a.example", "script-src nonce-b.example", false],
  ])("the policy %j in place of %j: stays %s", (policy, update, stays) => {
    for (const name of ["content-security-policy", "content-security-policy-report-only"]) {
      const { headers } = freshened(
        stored({ etag: '"a"', [name]: policy }),
        new Headers({ [name]: update, "x-frame-options": "DENY" }),
      );
      expect([headers.get(name), headers.get("x-frame-options")]).toEqual([stays ? policy : update, "DENY"]);
    }
  });

  test("fields of the hop, and those that Connection names, are not taken over", () => {
    const headers = updated({
      connection: "x-changed",
      "x-changed": "2",
      "proxy-authenticate": "Basic",
      upgrade: "h2c",
    });
    expect([headers.get("x-changed"), headers.has("proxy-authenticate"), headers.has("upgrade")]).toEqual([
      "1",
      false,
      false,
    ]);
  });

  test("its age counts from the 304, also where that names none", () => {
    expect(updated({}).has("age")).toBe(false);
    expect(updated({ age: "3" }).get("age")).toBe("3");
    const merged = freshened(before, new Headers({ date: dateAt(100) }));
    const verdict = storing(
      exchange({}, { response: merged, requestTime: NOON + 100_000, responseTime: NOON + 100_000 }),
    );
    if (verdict.kind !== "store") throw new Error(verdict.reason);
    expect(new Headers(verdict.stored.headers).get("date")).toBe(dateAt(100));
  });

  test.each<[Record<string, string>, string]>([
    [{ "cache-control": "no-store" }, "no-store"],
    [{ "cache-control": "private" }, "private"],
    [{ "set-cookie": "a=1" }, "set-cookie"],
    [{ vary: "*" }, "vary"],
  ])("a 304 that says %j ends the storing", (update, reason) => {
    const response = freshened(before, new Headers(update));
    expect(storing(exchange({}, { response }))).toEqual({ kind: "refuse", reason });
    expect(response.headers.getSetCookie()).toEqual("set-cookie" in update ? ["a=1"] : []);
  });
});

describe("what a HEAD tells of a stored GET (RFC 9111 §4.3.5)", () => {
  const known = stored({ etag: '"a"', "last-modified": LAST });

  test.each<[Record<string, string>, number, string]>([
    [{}, 5, "nothing"],
    [{ "content-length": "5" }, 5, "nothing"],
    [{ "content-length": "6" }, 5, "stale"],
    [{ etag: '"a"' }, 5, "update"],
    [{ "last-modified": LAST }, 5, "update"],
    [{ etag: '"a"', "last-modified": LAST, "content-length": "5" }, 5, "update"],
    // In another content coding the page has another length.
    [{ "content-length": "9", "content-encoding": "gzip" }, 5, "nothing"],
    [{ etag: '"b"', "last-modified": LAST }, 5, "stale"],
    [{ etag: 'W/"a"' }, 5, "stale"],
    [{ "last-modified": dateAt(0) }, 5, "stale"],
    [{ etag: '"a"', "content-length": "6" }, 5, "stale"],
    [{ "content-length": "many" }, 5, "stale"],
  ])("%j with %s stored bytes: %s", (head, length, expected) => {
    expect(checkedByHead(new Headers(head), known, length)).toBe(expected);
  });

  test.each([404, 410, 301, 203])(
    "%s that is stored is stale, whatever agrees: the page is there",
    (status) => {
      const other = stored({ etag: '"a"' }, { status });
      expect(checkedByHead(new Headers({ etag: '"a"' }), other, 5)).toBe("stale");
    },
  );
});
