import { describe, expect, it } from "vitest";
import { forward } from "../../../src/origin/forward.ts";
import { testPlatform } from "../../support/platform.ts";

describe("an attempt to reach the origin", () => {
  const input = (
    fetch: typeof globalThis.fetch,
    headers: Record<string, string> = { via: "1.1 envoyou-edge-1" },
  ) => {
    const platform = testPlatform();
    return {
      platform,
      reply: forward({
        url: new URL("http://origin/v1/x"),
        method: "GET",
        headers: new Headers(headers),
        body: null,
        fetch,
        platform,
        deadlineMs: 30_000,
        via: "envoyou-edge-1",
      }),
    };
  };

  it("that fails is 502, one that is late is 504, a loop is 508", async () => {
    expect(await input(() => Promise.reject(new TypeError("refused"))).reply).toEqual({
      kind: "failed",
      status: 502,
      code: "ORIGIN_UNREACHABLE",
    });
    const late = input(
      (_url, init) =>
        new Promise((_, reject) =>
          init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))),
        ),
    );
    late.platform.advance(30_000);
    expect(await late.reply).toEqual({ kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" });
    const loop = input(() => Promise.resolve(new Response("never asked")), {
      via: "1.1 envoyou-edge-1, 1.1 other, 1.1 envoyou-edge-1",
    });
    expect(await loop.reply).toEqual({ kind: "failed", status: 508, code: "LOOP_DETECTED" });
  });

  it.each([
    [103, "what follows it is lost"],
    [600, "no response can be made with it"],
    [999, "no response can be made with it"],
  ])("that brings a status of %i has failed: %s", async (value) => {
    // A Response cannot be made with such a status; the runtime's own can have one.
    const odd = Object.defineProperty(new Response(), "status", { value });
    expect(await input(() => Promise.resolve(odd)).reply).toMatchObject({ kind: "failed", status: 502 });
  });

  it.each([200, 304, 599])("that brings a status of %i is a response", async (value) => {
    const response = Object.defineProperty(new Response(), "status", { value });
    expect(await input(() => Promise.resolve(response)).reply).toMatchObject({ kind: "response", response });
  });

  it("leaves redirects to the client", async () => {
    let mode: string | undefined;
    await input((_url, init) => {
      mode = init?.redirect;
      return Promise.resolve(new Response(null, { status: 307, headers: { location: "/y" } }));
    }).reply;
    expect(mode).toBe("manual");
  });
});

/** What the runtime's fetch may return: a status that no Response with a body could be made with. */
function answer(status: number, body: string | null): Response {
  return Object.defineProperty(new Response(body), "status", { value: status });
}

/** A 101 as a fetch returns it: a Response can be made with one only beside a WebSocket. */
const switched = (headers: HeadersInit = {}) =>
  new Response(null, { status: 101, webSocket: new WebSocketPair()[0], headers });

describe("a switch of protocols", () => {
  const asked = (headers: Record<string, string>) =>
    forward({
      url: new URL("https://api.example.com/v1/x"),
      method: "GET",
      headers: new Headers(headers),
      body: null,
      fetch: () => Promise.resolve(switched()),
      platform: testPlatform(),
      deadlineMs: 30_000,
      via: "envoyou-edge-1",
    });

  it("that nobody asked for is no answer (RFC 9110 §15.2.2)", async () => {
    expect(await asked({})).toMatchObject({ kind: "failed", status: 502 });
  });
  it("to something else than a WebSocket is none either", async () => {
    const reply = forward({
      url: new URL("https://api.example.com/v1/x"),
      method: "GET",
      headers: new Headers({ upgrade: "websocket" }),
      body: null,
      fetch: () => Promise.resolve(answer(101, null)),
      platform: testPlatform(),
      deadlineMs: 30_000,
      via: "envoyou-edge-1",
    });
    expect(await reply).toMatchObject({ kind: "failed", status: 502 });
  });
  it("that was asked for is one", async () => {
    expect(await asked({ upgrade: "websocket" })).toMatchObject({ kind: "response" });
  });
});
