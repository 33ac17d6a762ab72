import { expect, test } from "vitest";
import { type CacheOutcome, cacheFields, setCacheFields } from "../../../src/response-cache/outcome.ts";

const HIT: CacheOutcome = { word: "HIT", status: { hit: true, ttl: 5 }, upstream: null };

test("an outcome is rendered as Cache-Status and X-Cache; no outcome as nothing", () => {
  expect(cacheFields(HIT)).toEqual([
    ["cache-status", "EnvoyouEdge;hit;ttl=5"],
    ["x-cache", "HIT"],
  ]);
  expect(cacheFields(null)).toEqual([]);
});

test.each<[string | null, string]>([
  ["Origin;hit", "Origin;hit, EnvoyouEdge;hit;ttl=5"],
  ["][", "EnvoyouEdge;hit;ttl=5"],
  [null, "EnvoyouEdge;hit;ttl=5"],
])("the edge's member follows what the origin said in %j (RFC 9211 §2)", (upstream, expected) => {
  const headers = new Headers({ "cache-status": "Anything;fwd=miss", "x-cache": "origin" });
  setCacheFields(headers, { ...HIT, upstream });
  expect(headers.get("cache-status")).toBe(expected);
  expect(headers.get("x-cache")).toBe("HIT");
});

test("without an outcome an origin's X-Cache is removed, and its Cache-Status stays", () => {
  const headers = new Headers({ "cache-status": "Origin;hit", "x-cache": "HIT" });
  setCacheFields(headers, null);
  expect([...headers]).toEqual([["cache-status", "Origin;hit"]]);
});
