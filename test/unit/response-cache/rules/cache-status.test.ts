import { parseList, Token } from "structured-headers";
import { expect, test } from "vitest";
import { type CacheStatus, cacheStatus } from "../../../../src/response-cache/rules/cache-status.ts";

test.each<[CacheStatus, string]>([
  [{ hit: true }, "EnvoyouEdge;hit"],
  [{ hit: true, ttl: 59.9 }, "EnvoyouEdge;hit;ttl=59"],
  [{ hit: true, ttl: -5.2 }, "EnvoyouEdge;hit;ttl=-5"],
  [{ hit: true, ttl: -0.2 }, "EnvoyouEdge;hit;ttl=0"],
  [{ hit: true, ttl: Number.POSITIVE_INFINITY }, "EnvoyouEdge;hit;ttl=999999999999999"],
  [{ fwd: "uri-miss" }, "EnvoyouEdge;fwd=uri-miss"],
  [{ fwd: "uri-miss", stored: true, collapsed: false }, "EnvoyouEdge;fwd=uri-miss;stored;collapsed=?0"],
  [{ fwd: "vary-miss", stored: false, collapsed: true }, "EnvoyouEdge;fwd=vary-miss;collapsed"],
  [{ fwd: "stale", fwdStatus: 304, ttl: 60 }, "EnvoyouEdge;fwd=stale;fwd-status=304;ttl=60"],
  [{ fwd: "bypass", detail: "no-store" }, "EnvoyouEdge;fwd=bypass;detail=no-store"],
  [{ fwd: "bypass", detail: "two words" }, "EnvoyouEdge;fwd=bypass"],
])("%j is written %s (RFC 9211 §2)", (status, expected) => {
  expect(cacheStatus(status)).toBe(expected);
  const [member] = parseList(expected);
  expect(String(member?.[0])).toBe("EnvoyouEdge");
  expect(member?.[0]).toBeInstanceOf(Token);
});

test.each<[string | null, string]>([
  [null, "EnvoyouEdge;hit"],
  ["", "EnvoyouEdge;hit"],
  ["Origin;hit;ttl=3", "Origin;hit;ttl=3, EnvoyouEdge;hit"],
  ['"a, b";fwd=miss, C', '"a, b";fwd=miss, C, EnvoyouEdge;hit'],
  ["Origin;;;", "EnvoyouEdge;hit"],
])("the edge's member follows what %j says", (upstream, expected) => {
  expect(cacheStatus({ hit: true }, upstream)).toBe(expected);
});
