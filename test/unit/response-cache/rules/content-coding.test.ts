import { describe, expect, it } from "vitest";
import { acceptsGzip, forbidsTransform } from "../../../../src/response-cache/rules/content-coding.ts";

describe("who can be given gzip (RFC 9110 §12.5.3)", () => {
  it.each<[string | null | undefined, boolean]>([
    ["gzip", true],
    ["br, gzip", true],
    ["GZIP", true],
    ["x-gzip", true],
    ["*", true],
    ["gzip;q=0.1", true],
    ["br;q=1.0, *;q=0.5", true],
    ["gzip;q=0", false],
    ["gzip;q=0, *", false],
    ["*;q=0", false],
    ["br", false],
    ["identity", false],
    ["", false],
    [null, false],
    [undefined, false],
    ["gzip;q=oops", false],
  ])("%j: %s", (acceptEncoding, accepted) => {
    expect(acceptsGzip(acceptEncoding)).toBe(accepted);
  });
});

describe("who forbids it (RFC 9111 §5.2.2.6)", () => {
  it.each<[string | undefined, boolean]>([
    ["no-transform", true],
    ["max-age=60, No-Transform", true],
    ["max-age=60", false],
    [undefined, false],
  ])("%j: %s", (cacheControl, forbidden) => {
    const headers = new Headers(cacheControl === undefined ? {} : { "cache-control": cacheControl });
    expect(forbidsTransform(headers)).toBe(forbidden);
  });
});
