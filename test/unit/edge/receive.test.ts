import { describe, expect, it } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { receive, receivedInside } from "../../../src/edge/receive.ts";
import { testPlatform } from "../../support/platform.ts";

const isolate = () =>
  openIsolate({ ORIGIN_URL: "https://origin.example", LOG_LEVEL: "error" }, [], testPlatform());

describe("a request at its arrival", () => {
  it("has an id of the edge's own, whatever it claims, and another one each time", () => {
    const parts = isolate();
    const request = () => new Request("https://edge.example/x", { headers: { "x-request-id": "mine" } });
    const ids = Array.from({ length: 5 }, () => receive(parts, request(), () => {}).requestId);
    expect(new Set(ids).size).toBe(5);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each(["/a/%7Eb?x=%41&y", "/%zz", "/?", "/a?b=1?c"])("has its URL as it was sent: %s", (path) => {
    const { url, startedAt } = receive(isolate(), new Request(`https://edge.example${path}`), () => {});
    expect(url.href).toBe(`https://edge.example${path}`);
    expect(startedAt).toBe(testPlatform().now());
  });

  it("that is made inside another shares its id and its deferred work, and has its own URL", () => {
    const outer = receive(isolate(), new Request("https://edge.example/edge/cache/warm"), () => {});
    const inner = receivedInside(outer, new Request("https://edge.example/v1/x"));
    expect(inner.url.pathname).toBe("/v1/x");
    expect(inner.requestId).toBe(outer.requestId);
    expect(inner.deferred).toBe(outer.deferred);
  });
});
