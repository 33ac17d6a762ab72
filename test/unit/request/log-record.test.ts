import { expect, test } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import { type LogRecord, logRequest } from "../../../src/request/log-record.ts";

const NOTHING: LogRecord = {
  requestId: "request-1",
  method: "GET",
  route: "*",
  status: 200,
  caller: null,
  verdict: "allowed",
  limits: null,
  session: null,
  cache: null,
  storeCalls: 0,
  storeMs: 0,
  totalMs: 12,
};

function written(change: Partial<LogRecord>, status = 200): EmittedEvent | undefined {
  const received: EmittedEvent[] = [];
  const sink = { receive: (event: EmittedEvent) => void received.push(event) };
  const events = createEvents({ platform: { now: () => 0 }, write: () => {}, sinks: [sink] });
  logRequest(events, { ...NOTHING, status, ...change });
  expect(received).toHaveLength(1);
  return received[0];
}

test("a request is one event with all its fields, also those that say nothing", () => {
  expect(
    written({ caller: "0a", limits: "allowed by redis", session: "active", storeCalls: 1, storeMs: 9 }),
  ).toEqual({
    time: 0,
    level: "info",
    event: "request",
    fields: {
      request_id: "request-1",
      method: "GET",
      route: "*",
      status: 200,
      caller: "0a",
      verdict: "allowed",
      limits: "allowed by redis",
      session: "active",
      cache: null,
      store_calls: 1,
      store_ms: 9,
      total_ms: 12,
    },
  });
});

test("a 5xx is a warning", () => {
  expect(written({}, 499)?.level).toBe("info");
  expect(written({}, 500)?.level).toBe("warn");
});

test("a method that is not known is a text of the client's and is not named", () => {
  expect(written({ method: "SECRET" })?.fields.method).toBe("other");
  expect(written({ method: "PATCH" })?.fields.method).toBe("PATCH");
});

test("what an origin writes into X-Cache gets no further than a word", () => {
  expect(written({ cache: "hit" })?.fields.cache).toBe("hit");
  expect(written({ cache: "hit from proxy.example, user 7" })?.fields.cache).toBe("(withheld)");
});
