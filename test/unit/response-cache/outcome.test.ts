import { expect, test } from "vitest";
import { type CacheOutcome, setCacheFields } from "../../../src/response-cache/outcome.ts";

const HIT: CacheOutcome = { word: "HIT", status: { hit: true, ttl: 5 }, upstream: null };

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
