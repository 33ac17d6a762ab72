import { expect, test } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import { type LogRecord, loggedCaller, logRequest } from "../../../src/request/log-record.ts";

const asked = (method = "GET", headers: Record<string, string> = {}, cf?: object) => ({
  method,
  headers: new Headers(headers),
  ...(cf && { cf: cf as IncomingRequestCfProperties }),
});

const NOTHING: LogRecord = {
  request: asked(),
  request_id: "request-1",
  route: "*",
  status: 200,
  caller: null,
  verdict: "allowed",
  limits: null,
  session: null,
  cache: null,
  store_calls: 0,
  store_ms: 0,
  total_ms: 12,
};

function written(change: Partial<LogRecord>, status = 200): EmittedEvent | undefined {
  const received: EmittedEvent[] = [];
  const sink = { receive: (event: EmittedEvent) => void received.push(event) };
  const events = createEvents({ platform: { now: () => 0 }, write: () => {}, sinks: [sink] });
  logRequest(events, { ...NOTHING, status, ...change });
  expect(received).toHaveLength(1);
  return received[0];
}

test("a request is one event, without what it has nothing of", () => {
  const fields = {
    request_id: "request-1",
    method: "GET",
    route: "*",
    status: 200,
    caller: null,
    verdict: "allowed",
    limits: null,
    session: null,
    cache: null,
    store_calls: 0,
    store_ms: 0,
    total_ms: 12,
  };
  expect(written({})).toEqual({ time: 0, level: "info", event: "request", fields });
});

test("a request has all that is known of it, in the table's order", () => {
  const fields = written({
    request: asked("POST", { "cf-ray": "8f0e6d2c4b1a3957-FRA" }, { colo: "FRA" }),
    version: "0a1b2c3d",
    route: "/v1/*",
    caller: { hash: "0a", kind: "key", key: "shop" },
    limits: "allowed by redis",
    policy: "burst",
    source: "redis",
    session: "active",
    cache: "miss",
    cache_reason: "uri-miss",
    store_calls: 1,
    store_ms: 9,
    origin_ms: 40,
    bytes: 512,
  })?.fields;
  expect(Object.entries(fields ?? {}).map(([name, value]) => `${name}=${value}`)).toEqual([
    ...["request_id=request-1", "ray=8f0e6d2c4b1a3957", "colo=FRA", "version=0a1b2c3d", "method=POST"],
    ...["route=/v1/*", "status=200", "caller=0a", "caller_kind=key", "key=shop", "verdict=allowed"],
    ...["limits=allowed by redis", "policy=burst", "source=redis", "session=active", "cache=miss"],
    ...["cache_reason=uri-miss", "store_calls=1", "store_ms=9", "origin_ms=40", "total_ms=12", "bytes=512"],
  ]);
});

test.each([
  ["8f0e6d2c4b1a3957-FRA", "8f0e6d2c4b1a3957"],
  ["8f0e6d2c4b1a3957", "8f0e6d2c4b1a3957"],
  ["8F0E6D2C4B1A3957-FRA", undefined],
  ["8f0e6d2c4b1a3957-fra", undefined],
  ["my name", undefined],
  ["", undefined],
])("a CF-Ray of %j is the ray %s: whatever else a client says is left out", (field, ray) => {
  expect(written({ request: asked("GET", { "cf-ray": field }) })?.fields.ray).toBe(ray);
});

test.each([
  [{ colo: "FRA" }, "FRA"],
  [{ colo: "Frankfurt" }, undefined],
  [{ colo: 7 }, undefined],
  [{}, undefined],
  [undefined, undefined],
])("of %j the data centre is %s", (cf, colo) => {
  expect(written({ request: asked("GET", {}, cf) })?.fields.colo).toBe(colo);
});

test.each([
  [{ kind: "absent" }, null],
  [{ kind: "unverified", hash: "0b" }, null],
  [{ kind: "verified", hash: "0b", name: null, tier: null, userId: "ada" }, null],
  [{ kind: "verified", hash: "0b", name: "shop", tier: null, userId: null }, "shop"],
] as const)("a caller's key %j has the name %s in the log", (key, name) => {
  const identity = { kind: "key", hash: "0a" } as const;
  expect(loggedCaller({ identity, key })).toEqual({ kind: "key", hash: "0a", key: name });
});

test("a 5xx is a warning", () => {
  expect(written({}, 499)?.level).toBe("info");
  expect(written({}, 500)?.level).toBe("warn");
});

test("a method that is not known is a text of the client's and is not named", () => {
  expect(written({ request: asked("SECRET") })?.fields.method).toBe("other");
  expect(written({ request: asked("PATCH") })?.fields.method).toBe("PATCH");
});

test("what an origin writes into X-Cache gets no further than a word", () => {
  expect(written({ cache: "hit" })?.fields.cache).toBe("hit");
  expect(written({ cache: "hit from proxy.example, user 7" })?.fields.cache).toBe("(withheld)");
});
