import { describe, expect, test } from "vitest";
import { eligibility } from "../../../../src/response-cache/rules/eligibility.ts";
import { mayReuse, mayServeOnError } from "../../../../src/response-cache/rules/reuse.ts";
import { get, NOON, rule, stored } from "../../../support/cache-samples.ts";

/** What may be done `age` seconds after arrival, as a word. */
function use(age: number, response: string, request: Record<string, string> = {}, changes = {}): string {
  const reuse = mayReuse({
    stored: stored({ "cache-control": response }),
    requestHeaders: new Headers(request),
    rule: rule(changes),
    now: NOON + age * 1000,
  });
  if (reuse.kind === "revalidate") return `revalidate: ${reuse.because}`;
  if (reuse.kind === "stale") return reuse.revalidate ? "stale-while-revalidate" : "stale";
  return reuse.kind;
}

const asks = (cacheControl: string) => ({ "cache-control": cacheControl });

describe("without a word from the client (RFC 9111 §4)", () => {
  test.each<[number, string, string]>([
    [0, "max-age=60", "fresh"],
    [59.999, "max-age=60", "fresh"],
    [60, "max-age=60", "revalidate: stale"],
    [0, "max-age=60, no-cache", "revalidate: stale"],
    [0, 'max-age=60, no-cache="x-one"', "fresh"],
    [60, "max-age=60, stale-while-revalidate=10", "stale-while-revalidate"],
    [69.999, "max-age=60, stale-while-revalidate=10", "stale-while-revalidate"],
    [70, "max-age=60, stale-while-revalidate=10", "revalidate: stale"],
    [61, "max-age=60, stale-while-revalidate=10, must-revalidate", "revalidate: stale"],
    [61, "s-maxage=60, stale-while-revalidate=10", "revalidate: stale"],
    [0, "max-age=60, stale-while-revalidate=10, no-cache", "revalidate: stale"],
    [61, "max-age=60, stale-if-error=10", "revalidate: stale"],
  ])("after %d s with %s: %s", (age, response, expected) => {
    expect(use(age, response)).toBe(expected);
  });

  test("the route's window counts where the response names none", () => {
    expect(use(61, "max-age=60", {}, { staleWhileRevalidate: 10 })).toBe("stale-while-revalidate");
    expect(use(61, "max-age=60, stale-while-revalidate=0", {}, { staleWhileRevalidate: 10 })).toBe(
      "revalidate: stale",
    );
  });

  test("its age and its lifetime are told", () => {
    const facts = {
      stored: stored({ "cache-control": "max-age=60", age: "5" }),
      requestHeaders: new Headers(),
      rule: rule(),
    };
    expect(mayReuse({ ...facts, now: NOON + 1500 })).toEqual({ kind: "fresh", age: 6.5, lifetime: 60 });
  });
});

describe("what the client asks for (RFC 9111 §5.2.1)", () => {
  test.each<[number, string, Record<string, string>, string]>([
    [1, "max-age=60", asks("no-cache"), "revalidate: request"],
    [1, "max-age=60", { pragma: "no-cache" }, "revalidate: request"],
    [61, "max-age=60", asks("no-cache"), "revalidate: stale"],
    [1, "max-age=60", asks("no-store"), "fresh"],
    [1, "max-age=60", asks("max-age=1"), "fresh"],
    [1.5, "max-age=60", asks("max-age=1"), "revalidate: request"],
    [0, "max-age=60", asks("max-age=0"), "revalidate: request"],
    [0, "max-age=60", asks("max-age=soon"), "revalidate: request"],
    [50, "max-age=60", asks("min-fresh=10"), "fresh"],
    [51, "max-age=60", asks("min-fresh=10"), "revalidate: request"],
    [51, "max-age=60", asks("min-fresh=soon"), "fresh"],
    [70, "max-age=60", asks("max-stale"), "stale"],
    [70, "max-age=60", asks("max-stale=10"), "stale"],
    [71, "max-age=60", asks("max-stale=10"), "revalidate: stale"],
    [71, "max-age=60", asks("max-stale=much"), "revalidate: stale"],
    [70, "max-age=60, must-revalidate", asks("max-stale"), "revalidate: stale"],
    [70, "max-age=60, proxy-revalidate", asks("max-stale"), "revalidate: stale"],
    [70, "s-maxage=60", asks("max-stale"), "revalidate: stale"],
    [1, "max-age=60, no-cache", asks("max-stale"), "revalidate: stale"],
    [70, "max-age=60", asks("max-stale, max-age=65"), "revalidate: stale"],
    [70, "max-age=60", asks("max-stale, max-age=80"), "stale"],
    [70, "max-age=60", asks("max-stale, no-cache"), "revalidate: stale"],
    [61, "max-age=60, stale-while-revalidate=10", asks("max-age=90"), "revalidate: stale"],
    [61, "max-age=60, stale-while-revalidate=10", asks("min-fresh=0"), "revalidate: stale"],
    [61, "max-age=60, stale-while-revalidate=10", asks("max-stale"), "stale-while-revalidate"],
  ])("after %d s with %s, asked with %j: %s", (age, response, request, expected) => {
    expect(use(age, response, request)).toBe(expected);
  });
});

describe("when the origin fails (RFC 5861 §4, RFC 9111 §4.2.4)", () => {
  test.each<[number, string, Record<string, string>, boolean]>([
    [61, "max-age=60", {}, false],
    [61, "max-age=60, stale-if-error=10", {}, true],
    [69.999, "max-age=60, stale-if-error=10", {}, true],
    [70, "max-age=60, stale-if-error=10", {}, false],
    [61, "max-age=60, stale-while-revalidate=10", {}, false],
    [61, "max-age=60", asks("stale-if-error=10"), true],
    [61, "max-age=60, stale-if-error=10", asks("stale-if-error=0"), true],
    [61, "max-age=60, stale-if-error=10, must-revalidate", {}, false],
    [61, "max-age=60, stale-if-error=10, proxy-revalidate", {}, false],
    [61, "s-maxage=60, stale-if-error=10", {}, false],
    [61, "s-maxage=60", asks("stale-if-error=10"), false],
    [1, "max-age=60, stale-if-error=10, no-cache", {}, false],
    [1, "max-age=60, stale-if-error=10", asks("no-cache"), false],
    [1, "max-age=60", asks("max-age=0"), true],
  ])("after %d s with %s, asked with %j: %s", (age, response, request, expected) => {
    const facts = {
      stored: stored({ "cache-control": response }),
      requestHeaders: new Headers(request),
      rule: rule(),
    };
    expect(mayServeOnError({ ...facts, now: NOON + age * 1000 })).toBe(expected);
  });
});

describe("which requests a stored response could answer", () => {
  test.each([
    ["GET", {}, "eligible"],
    ["HEAD", {}, "eligible"],
    ["GET", { "content-length": "0" }, "eligible"],
    ["GET", { "if-none-match": '"a"', range: "bytes=0-1" }, "eligible"],
    ["POST", {}, "method"],
    ["FOO", {}, "method"],
    ["get", {}, "method"],
    ["GET", { "content-length": "2" }, "bypass"],
    ["GET", { "transfer-encoding": "chunked" }, "bypass"],
    ["GET", { "if-match": "*" }, "bypass"],
    ["GET", { "if-unmodified-since": "0" }, "bypass"],
  ])("%s with %j: %s", (method, fields, expected) => {
    expect(eligibility(get(fields, method))).toBe(expected);
  });
});
