import { describe, expect, test } from "vitest";
import { isStoredResponse } from "../../../../src/response-cache/rules/stored.ts";
import { type StoreRefusal, storing } from "../../../../src/response-cache/rules/storing.ts";
import { dateAt, exchange, get, NOON, rule } from "../../../support/cache-samples.ts";

const FRESH = { "cache-control": "max-age=60" };

function outcome(...args: Parameters<typeof exchange>): "store" | StoreRefusal {
  const verdict = storing(exchange(...args));
  return verdict.kind === "store" ? "store" : verdict.reason;
}

function storedFieldsOf(...args: Parameters<typeof exchange>): Headers {
  const verdict = storing(exchange(...args));
  if (verdict.kind !== "store") throw new Error(verdict.reason);
  return new Headers(verdict.stored.headers);
}

describe("which requests (RFC 9111 §3)", () => {
  test.each(["HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "FOO"])(
    "the answer to %s is not stored",
    (method) => {
      expect(outcome({ "cache-control": "public, max-age=60" }, { request: get({}, method) })).toBe("method");
    },
  );

  test("the answer to a request that says no-store is not stored (§5.2.1.5)", () => {
    expect(outcome(FRESH, { request: get({ "cache-control": "No-Store" }) })).toBe("request-no-store");
  });

  test.each<Record<string, string>>([
    { "content-length": "3" },
    { "transfer-encoding": "chunked" },
    { "if-match": '"a"' },
    { "if-unmodified-since": dateAt(0) },
  ])("the answer to a request with %j depends on what is in no key", (fields) => {
    expect(outcome(FRESH, { request: get(fields) })).toBe("request");
  });

  test("a whole answer to a conditional or a range request is stored", () => {
    expect(
      outcome(FRESH, { request: get({ "if-none-match": '"a"', range: "bytes=0-1", "content-length": "0" }) }),
    ).toBe("store");
  });
});

describe("which statuses (RFC 9111 §3)", () => {
  test.each([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])(
    "%i may go without an explicit lifetime (RFC 9110 §15.1)",
    (status) => {
      expect(outcome({}, { status, rule: rule({ ttl: 60 }) })).toBe("store");
    },
  );

  test.each([201, 202, 299, 302, 303, 307, 451])("%i needs an explicit lifetime", (status) => {
    expect(outcome({}, { status, rule: rule({ ttl: 60 }) })).toBe("unstated");
    expect(outcome(FRESH, { status })).toBe("store");
    expect(outcome({ "cache-control": "s-maxage=60" }, { status })).toBe("store");
    expect(outcome({ expires: dateAt(60) }, { status })).toBe("store");
    expect(outcome({ "cache-control": "public" }, { status, rule: rule({ ttl: 60 }) })).toBe("store");
    expect(
      outcome(
        { "cache-control": "private, max-age=9" },
        { status, requester: "verified", rule: rule({ scope: "caller" }) },
      ),
    ).toBe("store");
  });

  test.each([
    ...[100, 101, 103, 206, 226, 304, 600],
    // Of one request: of its fields, or of who asks.
    ...[400, 401, 402, 403, 406, 407, 408, 409, 411, 412, 413, 415, 416, 417, 418, 420, 421, 422, 423, 424],
    ...[425, 426, 428, 429, 430, 431, 449, 499],
    // The origin has failed in it.
    ...[500, 502, 503, 504, 505, 507, 508, 510, 511, 520, 530, 599],
  ])("%i is never stored", (status) => {
    const said = { "cache-control": "public, max-age=60" };
    for (const scope of ["public", "shared", "caller"] as const)
      for (const requester of ["anonymous", "verified"] as const)
        expect(outcome(said, { status, requester, rule: rule({ scope }) })).toBe("status");
  });

  test("Expires does not make it explicit beside CDN-Cache-Control (RFC 9213 §2.2)", () => {
    expect(outcome({ "cdn-cache-control": "must-revalidate", expires: dateAt(60) }, { status: 302 })).toBe(
      "unstated",
    );
  });

  test.each([
    [200, "must-understand, no-store, max-age=60", "store"],
    [404, "must-understand, no-store, max-age=60", "store"],
    [208, "must-understand, no-store, max-age=60", "must-understand"],
    [299, "must-understand, max-age=60", "must-understand"],
    [206, "must-understand, max-age=60", "status"],
    [200, "no-store, max-age=60", "no-store"],
  ])("%i with %s (§5.2.2.3): %s", (status, cacheControl, expected) => {
    expect(outcome({ "cache-control": cacheControl }, { status })).toBe(expected);
  });
});

describe("what else keeps a response out", () => {
  test.each(["*", "accept, *", "*, accept", "not a name", "a;b"])(
    "Vary: %s matches no request (§4.1)",
    (vary) => {
      expect(outcome({ ...FRESH, vary })).toBe("vary");
    },
  );

  test.each<[Record<string, string>, "store" | "no-use"]>([
    [{}, "no-use"],
    [{ "cache-control": "max-age=0" }, "no-use"],
    [{ "cache-control": "max-age=60abc" }, "no-use"],
    [{ "cache-control": "max-age=60", age: "60" }, "no-use"],
    [{ expires: "0" }, "no-use"],
    [{ "cache-control": "no-cache, max-age=60" }, "no-use"],
    [{ "cache-control": "no-cache", etag: '"a"' }, "store"],
    [{ "cache-control": "max-age=0", "last-modified": dateAt(-60) }, "store"],
    [{ "cache-control": "max-age=0, stale-while-revalidate=5" }, "store"],
    [{ "cache-control": "max-age=0, stale-if-error=5" }, "store"],
    [{ "cache-control": "max-age=0, must-revalidate, stale-if-error=5" }, "no-use"],
  ])("%j: %s", (fields, expected) => {
    expect(outcome(fields)).toBe(expected);
  });

  /** What frameworks write where a value is missing or nobody has quoted it: no condition can be made of it. */
  test.each<Record<string, string>>([
    ...["", "undefined", "null", "abc123", '"abc', 'abc"', "W/abc", "'abc'"].map((etag) => ({ etag })),
    ...["", "undefined", "0", "yesterday", "2020-04-07"].map((date) => ({ "last-modified": date })),
  ])("%j validates nothing", (validator) => {
    expect(outcome({ "cache-control": "no-cache", ...validator })).toBe("no-use");
    expect(outcome({ "cache-control": "max-age=0", ...validator })).toBe("no-use");
    expect(outcome({ ...FRESH, ...validator })).toBe("store");
  });

  test.each(["caf\ufffd", "\ufffd", 'attachment; filename="\ufffd.pdf"'])(
    "with a field that holds %j: bytes",
    (value) => {
      expect(outcome({ ...FRESH, "x-name": value })).toBe("bytes");
    },
  );

  const FOR_ONE = ["set-cookie", "x-csrf-token", "access-token", "authorization", "dpop-nonce", "set-login"];

  test.each(FOR_ONE)("%s is for the one who asked, whatever the scope", (name) => {
    const fields = { "cache-control": "public, max-age=60", [name]: "a=1" };
    expect(outcome(fields)).toBe("set-cookie");
    for (const scope of ["public", "shared", "caller"] as const)
      expect(outcome(fields, { requester: "verified", rule: rule({ scope, ttl: 60 }) })).toBe("set-cookie");
  });

  test.each(FOR_ONE)("%s that the origin withholds by name does not keep the rest out", (name) => {
    for (const directive of ["private", "no-cache"]) {
      const fields = { "cache-control": `max-age=60, ${directive}="${name}"`, [name]: "a=1" };
      expect(storedFieldsOf(fields).has(name)).toBe(false);
      const own = { requester: "verified", rule: rule({ scope: "caller" }) } as const;
      expect(storedFieldsOf(fields, own).has(name)).toBe(false);
    }
  });
});

describe("which fields are stored (RFC 9111 §3.1)", () => {
  const NOT_STORED = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-edge-session",
    "x-edge-caller",
    // A quota of the one who asked.
    "ratelimit",
    "ratelimit-policy",
    "ratelimit-remaining",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-rate-limit-remaining",
    "x-ratelimit-remaining-tokens",
    "x-app-rate-limit-count",
  ];

  test.each(NOT_STORED)("%s is not", (name) => {
    expect(storedFieldsOf({ ...FRESH, [name]: "close" }).has(name)).toBe(false);
  });

  test("fields that Connection names are not, whatever their case", () => {
    const fields = storedFieldsOf({
      ...FRESH,
      connection: "X-One, close,, x-two",
      "x-one": "1",
      "X-Two": "2",
      "x-three": "3",
    });
    expect([fields.has("x-one"), fields.has("x-two"), fields.get("x-three")]).toEqual([false, false, "3"]);
  });

  test("Connection cannot take away what the response is checked by (RFC 9110 §7.6.1)", () => {
    const fields = storedFieldsOf({
      "cache-control": "no-cache",
      etag: '"a"',
      vary: "accept",
      connection: "cache-control, etag, vary",
    });
    expect([fields.get("cache-control"), fields.get("etag"), fields.get("vary")]).toEqual([
      "no-cache",
      '"a"',
      "accept",
    ]);
  });

  test("fields that private and no-cache list are not stored in a shared store (§5.2.2.4, §5.2.2.7)", () => {
    const fields = {
      "cache-control": 'max-age=60, private="x-one", no-cache="x-two"',
      "x-one": "1",
      "x-two": "2",
      "x-three": "3",
    };
    expect([...storedFieldsOf(fields).keys()].sort()).toEqual(["cache-control", "date", "x-three"]);
  });

  test("fields that private lists are stored in a store of the caller's own", () => {
    const fields = { "cache-control": 'max-age=60, private="x-one"', "x-one": "1" };
    expect(
      storedFieldsOf(fields, { requester: "verified", rule: rule({ scope: "caller" }) }).get("x-one"),
    ).toBe("1");
  });

  test("all others are, unknown ones too (§3.1)", () => {
    expect(
      storedFieldsOf({ ...FRESH, "x-unknown": "1", "content-type": "text/plain", age: "3" }).get("x-unknown"),
    ).toBe("1");
  });

  test("a Date is added where there is none or it cannot be read (RFC 9110 §6.6.1)", () => {
    expect(storedFieldsOf(FRESH).get("date")).toBe(dateAt(0));
    expect(storedFieldsOf({ ...FRESH, date: "yesterday" }).get("date")).toBe(dateAt(0));
    expect(storedFieldsOf({ ...FRESH, date: dateAt(-5) }).get("date")).toBe(dateAt(-5));
  });
});

describe("what is stored", () => {
  test("is plain JSON that is known again", () => {
    const verdict = storing(
      exchange(
        { ...FRESH, vary: "Accept, accept,,\tX-B" },
        { requester: "verified", rule: rule({ scope: "shared" }) },
      ),
    );
    if (verdict.kind !== "store") throw new Error(verdict.reason);
    expect(verdict.stored).toMatchObject({
      status: 200,
      requestTime: NOON,
      responseTime: NOON,
      vary: ["accept", "x-b"],
      credentials: true,
    });
    const again: unknown = JSON.parse(JSON.stringify(verdict.stored));
    expect(again).toEqual(verdict.stored);
    expect(isStoredResponse(again)).toBe(true);
  });

  test.each<[string, unknown]>([
    ["nothing", null],
    ["a text", "HTTP/1.1 200"],
    ["a status that is none", { status: 99 }],
    ["a field that is no pair", { headers: [["a"]] }],
    ["a field name that Headers would refuse", { headers: [["a b", "1"]] }],
    ["a field value that Headers would refuse", { headers: [["a", "1\r\nset-cookie: b"]] }],
    ["a time that is none", { responseTime: "now" }],
    ["no time", { requestTime: Number.NaN }],
    ["a selecting field that is no name", { vary: ["*\n"] }],
    ["credentials that are neither", { credentials: 1 }],
  ])("%s under a key is not taken for it", (_, changes) => {
    const good = { status: 200, headers: [], requestTime: 0, responseTime: 0, vary: [], credentials: false };
    expect(isStoredResponse(good)).toBe(true);
    const bad = typeof changes === "object" && changes !== null ? { ...good, ...changes } : changes;
    expect(isStoredResponse(bad)).toBe(false);
  });
});
