import { describe, expect, test } from "vitest";
import { requestDirectives, responseDirectives } from "../../../../src/response-cache/rules/directives.ts";

const said = (cacheControl: string) => responseDirectives(new Headers({ "cache-control": cacheControl }));
const asked = (cacheControl: string) => requestDirectives(new Headers({ "cache-control": cacheControl }));

describe("Cache-Control (RFC 9111 §5.2)", () => {
  test.each<[string, number | "invalid" | undefined]>([
    ["max-age=60", 60],
    ["MaX-aGe=60", 60],
    ["public,max-age=60", 60],
    [" , ,max-age=60,, ", 60],
    ['max-age="60"', 60],
    ["max-age=0060", 60],
    ["foobar, max-age=60", 60],
    ['extension="max-age=9", max-age=60', 60],
    ['private="x, max-age=9"', undefined],
    ['foo="a\\", max-age=9", max-age=60', 60],
    ["max-age=60, max-age=1", 60],
    ["max-age=1, max-age=60", 1],
    ["max-age=abc, max-age=60", "invalid"],
    ["max-age=60abc", "invalid"],
    ["max-age=a60", "invalid"],
    ["max-age=-60", "invalid"],
    ["max-age=60.5", "invalid"],
    ["max-age='60'", "invalid"],
    ['max-age="60"0', "invalid"],
    ["max-age=", "invalid"],
    ["max-age", "invalid"],
    ["max-age =60", "invalid"],
    ["max-age= 60", "invalid"],
    ["max-age=60;public", "invalid"],
    ["x-max-age=60", undefined],
    ["", undefined],
    [';;;=,==,"', undefined],
  ])("%s: max-age is %s", (field, expected) => {
    expect(said(field).maxAge).toBe(expected);
  });

  test.each(["2147483648", "99999999999", "9".repeat(400)])(
    "a delta-seconds of %s is taken for 2^31 (§1.2.2)",
    (text) => {
      expect(said(`max-age=${text}`).maxAge).toBe(2147483648);
    },
  );

  test.each<[string, boolean]>([
    ["no-store", true],
    ["No-Store", true],
    ["no-store=1", true],
    ['no-store="x"', true],
    ["no-store =1", true],
    ["max-age=60,\tno-store", true],
    ['foo="unclosed, no-store', true],
    ['foo=ba"r, no-store, baz="', true],
    ['foo="no-store"', false],
    ['foo="a, no-store, b"', false],
    ["no-storex", false],
    ["max-age=60", false],
  ])("%s: no-store is %s", (field, expected) => {
    expect(said(field).noStore).toBe(expected);
  });

  test.each<[string, false | true | string[]]>([
    ["public", false],
    ["private", true],
    ['private="X-Name"', ["x-name"]],
    ['private="x-name , set-cookie"', ["x-name", "set-cookie"]],
    ['private="a", private="b"', ["a", "b"]],
    ['private="a", private', true],
    ['private=""', true],
    ["private=x-name", true],
    ['private="x name"', true],
    ['private="cache-control"', true],
    ['private="x-name" garbage', true],
  ])("%s: private is %j (§5.2.2.7)", (field, expected) => {
    expect(said(field).private).toEqual(expected);
    expect(said(field.replaceAll("private", "no-cache").replace("public", "x")).noCache).toEqual(expected);
  });

  test("several field lines count as one list", () => {
    const headers = new Headers({ "cache-control": "max-age=60" });
    headers.append("cache-control", "must-revalidate");
    expect(responseDirectives(headers)).toMatchObject({ maxAge: 60, mustRevalidate: true });
  });

  test("every directive is read", () => {
    expect(
      said(
        "public, must-revalidate, proxy-revalidate, must-understand, s-maxage=1, stale-while-revalidate=2, stale-if-error=3",
      ),
    ).toEqual({
      source: "cache-control",
      noStore: false,
      mustUnderstand: true,
      public: true,
      mustRevalidate: true,
      proxyRevalidate: true,
      private: false,
      noCache: false,
      maxAge: undefined,
      sMaxAge: 1,
      staleWhileRevalidate: 2,
      staleIfError: 3,
    });
  });

  test("a field of 100 000 characters is read in one pass", () => {
    expect(said(`${'a="\\",'.repeat(20_000)}max-age=60`).source).toBe("cache-control");
    expect(said(`${"x,".repeat(50_000)}max-age=60`).maxAge).toBe(60);
  });
});

describe("what is no directive is read for what it forbids, as other caches do (helmetjs/nocache#6)", () => {
  test.each<[field: string, forbids: string]>([
    ["no-cache no-store", "no-store no-cache"],
    ["no-store; no-cache", "no-store no-cache"],
    ["private; max-age=60", "private stale"],
    ["private max-age=60", "private stale"],
    ["max-age=60; private", "private stale"],
    ["max-age=60 ;no-store", "no-store stale"],
    ["public; max-age=60", "stale"],
    ["public max-age=600 s-maxage=600", "stale no-stale-use"],
    ["must-revalidate; max-age=60", "stale no-stale-use"],
    ['"no-store"', "no-store"],
    ["'no-store'", "no-store"],
    ["'private, max-age=60'", "private stale"],
    ['private="x-one"; no-store', "no-store private"],
    ["Private;No-Store", "no-store private"],
    ["max-age=60, foo; no-cache", "no-cache 60"],
    ["no-store\tprivate", "no-store private"],
    // A word that only begins like one, and what is quoted, are others.
    ["no-stored; no-store-ish", ""],
    ["no-storage please, max-age=60", "60"],
    ['community="UCI; private no-store", max-age=60', "60"],
    ["max-age=60", "60"],
    ["public, max-age=60, must-revalidate", "60 no-stale-use"],
  ])("%s: %s", (field, forbids) => {
    const { noStore, private: isPrivate, noCache, maxAge, proxyRevalidate, ...more } = said(field);
    const words = [
      noStore && "no-store",
      isPrivate === true && "private",
      noCache === true && "no-cache",
      maxAge === "invalid" && "stale",
      typeof maxAge === "number" && String(maxAge),
      (proxyRevalidate || more.mustRevalidate || more.sMaxAge !== undefined) && "no-stale-use",
    ];
    expect(words.filter(Boolean).join(" ")).toBe(forbids);
  });

  test.each([
    "public; max-age=60",
    "s-maxage=60; public",
    "must-revalidate; public",
    "must-understand; public",
  ])("%s allows nothing: neither to store what credentials brought, nor to pass over a no-store", (field) => {
    const directives = said(`${field}, no-store`);
    const { public: isPublic, mustRevalidate, mustUnderstand, sMaxAge } = directives;
    expect([isPublic, mustRevalidate, mustUnderstand, typeof sMaxAge === "number"]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test.each<[string, object]>([
    ["no-cache no-store", { noCache: true, noStore: true }],
    ["max-age=0; foo", { maxAge: 0 }],
    ["only-if-cached; foo", { onlyIfCached: false }],
  ])("of a request too: %s", (field, expected) => {
    expect(asked(field)).toMatchObject(expected);
  });
});

describe("CDN-Cache-Control (RFC 9213)", () => {
  const both = (cdn: string, cacheControl = "max-age=1") =>
    responseDirectives(new Headers({ "cdn-cache-control": cdn, "cache-control": cacheControl }));

  test.each([
    ["max-age=60", { maxAge: 60, noStore: false }],
    ["max-age=0", { maxAge: 0 }],
    ["max-age=-1", { maxAge: "invalid" }],
    ["max-age=99999999999", { maxAge: 2147483648 }],
    ["max-age=60;x=1", { maxAge: 60 }],
    ["max-age=1, max-age=60", { maxAge: 60 }],
    ["foobar, max-age=60", { maxAge: 60 }],
    ["no-store", { noStore: true, maxAge: undefined }],
    ["no-store=?0", { noStore: false }],
    ["no-store=1", { noStore: true }],
    ["private", { private: true }],
    ['private="x-name"', { private: ["x-name"] }],
    ['private=("x-name")', { private: true }],
    ["no-cache", { noCache: true }],
    [
      "s-maxage=5, stale-while-revalidate=6, stale-if-error=7",
      { sMaxAge: 5, staleWhileRevalidate: 6, staleIfError: 7 },
    ],
  ])("%s wins entirely over Cache-Control", (cdn, expected) => {
    expect(both(cdn)).toMatchObject({ source: "cdn-cache-control", ...expected });
  });

  test.each([['max-age="60"'], ["max-age=1.5"], ["max-age"], ["max-age=?1"]])(
    "%s says a lifetime that cannot be read, and leaves the other directives as they are",
    (cdn) => {
      expect(both(`no-store, ${cdn}`, "max-age=60")).toMatchObject({
        source: "cdn-cache-control",
        noStore: true,
        maxAge: "invalid",
      });
    },
  );

  test("it wins over no-store, too", () => {
    expect(both("max-age=60", "no-store, private")).toMatchObject({
      noStore: false,
      private: false,
      maxAge: 60,
    });
  });

  test.each(["", " ", "max-age=60, &&&&&", "MaX-aGe=60", "max-age =60", "max-age= 60", "max-age=60,"])(
    "%j is malformed or empty, and as if it were not there (§2.1)",
    (cdn) => {
      expect(both(cdn, "no-store")).toMatchObject({
        source: "cache-control",
        noStore: true,
        maxAge: undefined,
      });
    },
  );
});

describe("what a request asks for (RFC 9111 §5.2.1)", () => {
  test.each([
    ["no-cache", { noCache: true }],
    ["NO-STORE", { noStore: true }],
    ["only-if-cached", { onlyIfCached: true }],
    ["max-age=5", { maxAge: 5 }],
    ["max-age=soon", { maxAge: 0 }],
    ["min-fresh=5", { minFresh: 5 }],
    ["min-fresh=soon", { minFresh: undefined }],
    ["max-stale", { maxStale: Number.POSITIVE_INFINITY }],
    ["max-stale=5", { maxStale: 5 }],
    ["max-stale=much", { maxStale: undefined }],
    ["max-stale=", { maxStale: undefined }],
    ["stale-if-error=5", { staleIfError: 5 }],
  ])("%s", (field, expected) => {
    expect(asked(field)).toMatchObject(expected);
  });

  test("Pragma: no-cache counts only where there is no Cache-Control (§5.4)", () => {
    expect(requestDirectives(new Headers({ pragma: "No-Cache" })).noCache).toBe(true);
    expect(requestDirectives(new Headers({ pragma: "no-cache", "cache-control": "max-age=9" })).noCache).toBe(
      false,
    );
    expect(requestDirectives(new Headers({ pragma: "no-store, max-age=1" }))).toMatchObject({
      noStore: false,
      maxAge: undefined,
    });
  });

  test.each<[Record<string, string>, boolean]>([
    [{ pragma: "no-cache" }, true],
    [{ pragma: "No-Cache" }, true],
    [{ pragma: "x, no-cache" }, true],
    [{ pragma: "no-cache", "cdn-cache-control": "max-age=60, &&&&&" }, true],
    [{ pragma: "no-cache", "cache-control": "max-age=9" }, false],
    [{ pragma: "no-cache", "cache-control": "" }, false],
    [{ pragma: "no-cache", "cdn-cache-control": "max-age=9" }, false],
    [{ pragma: "public" }, false],
    [{ pragma: "" }, false],
    [{}, false],
  ])("no-cache in a response with %j alone: %s (§5.4)", (fields, expected) => {
    expect(responseDirectives(new Headers(fields)).noCache).toBe(expected);
  });

  test("nothing else of Pragma counts in a response (§5.4)", () => {
    expect(responseDirectives(new Headers({ pragma: "no-store, max-age=1, private" }))).toMatchObject({
      source: "none",
      noStore: false,
      private: false,
      maxAge: undefined,
    });
  });
});
