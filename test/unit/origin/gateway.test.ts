import { describe, expect, it } from "vitest";
import { ambiguityOf } from "../../../src/http/path.ts";
import { forward } from "../../../src/origin/forward.ts";
import { originUrl } from "../../../src/origin/origin-url.ts";
import { type OriginHeadersInput, originHeaders } from "../../../src/origin/request-headers.ts";
import { cleanResponse } from "../../../src/origin/response-headers.ts";
import { testPlatform } from "../../support/platform.ts";

const base: Omit<OriginHeadersInput, "headers"> = {
  url: new URL("https://edge.example/v1/x"),
  clientAddress: "203.0.113.7",
  requestId: "r".repeat(32),
  user: { id: "user_123", tier: "premium" },
  tier: "premium",
  identityTrusted: true,
  originToken: "token-for-the-origin",
  via: "envoyou-edge-1",
  platform: testPlatform(),
};
const sent = (headers: Record<string, string>, changes: Partial<OriginHeadersInput> = {}) =>
  originHeaders({ ...base, ...changes, headers: new Headers(headers) });

describe("the origin's address", () => {
  const cases: [base: string, requested: string, expected: string][] = [
    ["https://api.example.com", "https://edge.example/v1/x?a=1&a=2", "https://api.example.com/v1/x?a=1&a=2"],
    ["https://api.example.com/base/", "https://edge.example/v1/x", "https://api.example.com/base/v1/x"],
    [
      "https://api.example.com",
      "https://edge.example//evil.example/x",
      "https://api.example.com//evil.example/x",
    ],
    [
      "https://api.example.com/base",
      "https://edge.example/@evil.example/x",
      "https://api.example.com/base/@evil.example/x",
    ],
    ["http://origin:8000", "https://edge.example/v1/a%20b", "http://origin:8000/v1/a%20b"],
  ];
  it.each(cases)("%s for %s is %s", (origin, requested, expected) => {
    expect(originUrl(new URL(origin), new URL(requested)).href).toBe(expected);
  });
});

describe("a path that two readers could read differently", () => {
  it.each(["//x", "/a//b", "/a%2Fb", "/a%5cb", "/a%00", "/a/%2e%2e/b", "/%2E/b"])("%s is refused", (path) => {
    expect(ambiguityOf(path, false)).not.toBeNull();
  });
  it.each(["%0a", "%0d", "%0d%0a", "%09", "%01", "%1F", "%7f"])("holds %s", (escaped) => {
    expect(
      ambiguityOf(`/v1/auth/login${escaped}`, false),
      "`login$` matches before a last newline",
    ).not.toBeNull();
  });
  it("is let through where the route wants it, but for NUL, ends of lines and dot segments", () => {
    for (const never of ["%00", "%0a", "%0D"]) expect(ambiguityOf(`/a${never}`, true), never).not.toBeNull();
    expect(ambiguityOf("/a%09", true)).toBeNull();
    expect(ambiguityOf("/a//b%2fc", true)).toBeNull();
    expect(ambiguityOf("/a%00", true)).not.toBeNull();
    expect(ambiguityOf("/a/%2e%2e/b", true)).not.toBeNull();
    expect(ambiguityOf("/a.b/c..d/%2e.txt.%2e", false), "dots inside a segment are only dots").toBeNull();
  });
});

describe("what the origin is sent", () => {
  it("is what the client sent, and what the edge adds", () => {
    const headers = sent({ accept: "application/json", "x-custom": "1" });
    expect(Object.fromEntries(headers)).toMatchObject({
      accept: "application/json",
      "x-custom": "1",
      "x-user-id": "user_123",
      "x-user-tier": "premium",
      "x-edge-token": "token-for-the-origin",
      "x-request-id": "r".repeat(32),
      "x-forwarded-for": "203.0.113.7",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "edge.example",
      via: "1.1 envoyou-edge-1",
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/) as string,
    });
  });

  it.each([
    "x-user-id",
    "x_user_id",
    "X-User_Id",
    "x-user-tier",
    "x-edge-token",
    "x_edge_anything",
    "x-request-id",
    "forwarded",
    "x-forwarded-for",
    "x_forwarded_host",
    "x-real-ip",
    "x_http_method_override",
    "x-original-url",
    "x-original-host",
    "x-host",
    "x-http-host-override",
    "x-scheme",
    "x-url-scheme",
    "front-end-https",
    "x-rewrite-url",
  ])("never a forged %s", (name) => {
    const headers = sent(
      { [name]: "forged" },
      { user: null, tier: null, originToken: null, clientAddress: null },
    );
    expect([...headers].filter(([, value]) => value.includes("forged"))).toEqual([]);
  });

  it("no identity when the origin could not tell it from a forged one", () => {
    const headers = sent({}, { identityTrusted: false });
    expect(headers.has("x-user-id")).toBe(false);
    expect(headers.has("x-user-tier")).toBe(false);
  });

  it("no hop-by-hop field, nor one that Connection names", () => {
    const headers = sent({
      connection: "close, X-Hop",
      "x-hop": "1",
      te: "trailers",
      "keep-alive": "5",
      "proxy-authorization": "x",
    });
    for (const name of ["connection", "x-hop", "te", "keep-alive", "proxy-authorization"])
      expect(headers.has(name), name).toBe(false);
  });

  it("no Expect: who took the request has answered it (RFC 9110 §10.1.1)", () => {
    expect(sent({ expect: "100-continue" }).has("expect")).toBe(false);
  });

  it("no session credential of the edge's, but every other cookie and bearer", () => {
    expect(sent({ authorization: "Bearer es1.a.b" }).has("authorization")).toBe(false);
    expect(sent({ authorization: "Bearer other" }).get("authorization")).toBe("Bearer other");
    expect(sent({ cookie: "a=1; __Host-session=es1.a.b; b=2" }).get("cookie")).toBe("a=1; b=2");
    expect(sent({ cookie: "session=es1.a.b" }).has("cookie")).toBe(false);
    expect(
      sent({ cookie: "session=of-the-origin" }).get("cookie"),
      "a cookie of that name which is not ours",
    ).toBe("session=of-the-origin");
  });

  it("continues a trace, and starts one when there is none or it is malformed", () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    expect(sent({ traceparent: `00-${trace}-b7ad6b7169203331-01` }).get("traceparent")).toMatch(
      new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`),
    );
    expect(
      sent({ traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }).get("traceparent"),
    ).not.toContain("0".repeat(32));
    expect(sent({ traceparent: "garbage" }).get("traceparent")).toMatch(/^00-/);
  });

  it("a user id that is no header text travels percent-encoded", () => {
    expect(sent({}, { user: { id: "zoë\r\nx: y", tier: null } }).get("x-user-id")).toBe(
      "zo%C3%AB%0D%0Ax:%20y",
    );
  });
});

describe("what the client gets of the origin's answer", () => {
  const options = {
    originUrl: new URL("http://internal:8000/base/v1/x"),
    edgeUrl: new URL("https://edge.example/v1/x"),
    basePath: "/base",
  };
  const clean = (headers: [string, string][], status = 200) =>
    cleanResponse(new Response(null, { status, headers }), options);

  it("a redirect to the origin's internal host leads to the edge", () => {
    const location = (value: string) => clean([["location", value]], 307).response.headers.get("location");
    expect(location("http://internal:8000/base/v1/emissions/?a=1#b")).toBe(
      "https://edge.example/v1/emissions/?a=1#b",
    );
    expect(location("https://internal:8000/base/v1/y")).toBe("https://edge.example/v1/y");
    expect(location("//internal:8000/base/v1/y")).toBe("https://edge.example/v1/y");
    expect(location("/base/v1/y")).toBe("/v1/y");
    expect(location("/v1/y")).toBe("/v1/y");
    expect(location("relative")).toBe("relative");
    expect(location("https://elsewhere.example/base/v1/y")).toBe("https://elsewhere.example/base/v1/y");
  });

  it("a cookie for the origin's host is one for the edge's; cookies stay apart", () => {
    const { response } = clean([
      ["set-cookie", "a=1; Domain=internal; Path=/; HttpOnly"],
      ["set-cookie", "b=2, 3; Domain=.INTERNAL"],
      ["set-cookie", "c=4; Domain=example.com"],
    ]);
    expect(response.headers.getSetCookie()).toEqual([
      "a=1; Path=/; HttpOnly",
      "b=2, 3",
      "c=4; Domain=example.com",
    ]);
  });

  it("signals to the edge are read out and gone, hop-by-hop fields too", () => {
    const { response, signals } = clean([
      ["x-edge-session", "s"],
      ["x-edge-caller", "c"],
      ["x_edge_other", "o"],
      ["connection", "x-hop"],
      ["x-hop", "1"],
    ]);
    expect(signals).toEqual({ session: "s", caller: "c" });
    expect([...response.headers.keys()]).toEqual([]);
  });
});

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
    expect(await input(() => Promise.resolve(response)).reply).toEqual({ kind: "response", response });
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
