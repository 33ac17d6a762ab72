import { describe, expect, it } from "vitest";
import { type OriginHeadersInput, originHeaders } from "../../../src/origin/request-headers.ts";
import { testPlatform } from "../../support/platform.ts";

const base: Omit<OriginHeadersInput, "headers"> = {
  method: "GET",
  cacheRule: null,
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

  it.each<[method: string, said: string, expected: string]>([
    ["OPTIONS", "1", "0"],
    ["OPTIONS", "10", "9"],
    ["OPTIONS", "012", "11"],
    ["OPTIONS", "111111111111111111111", "254"],
    ["OPTIONS", "many", "many"],
    ["OPTIONS", "1, 2", "1, 2"],
    // To other methods it means nothing.
    ["GET", "1", "1"],
    ["POST", "0", "0"],
  ])("%s with Max-Forwards: %s goes on with %s (RFC 9110 §7.6.2)", (method, said, expected) => {
    expect(sent({ "max-forwards": said }, { method }).get("max-forwards")).toBe(expected);
    expect(sent({}, { method }).has("max-forwards")).toBe(false);
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
    "x-forward-for",
    "x-middleware-subrequest",
    "x-middleware-prefetch",
    "X_Invoke_Status",
    "x-now-route-matches",
    "x-matched-path",
    "x-react-router-spa-mode",
    "X-React-Router-Prerender-Data",
    "x.user.id",
    "X~Edge~Token",
    "Cloudflare-Workers-Version-Overrides",
  ])("never a forged %s", (name) => {
    const headers = sent(
      { [name]: "forged" },
      { user: null, tier: null, originToken: null, clientAddress: null },
    );
    expect([...headers].filter(([, value]) => value.includes("forged"))).toEqual([]);
  });

  it.each(["X-User-Agent", "X-User-Timezone", "X-User-Locale", "X_User_Name", "X-Client-Version"])(
    "%s passes: it is nothing that the edge says",
    (name) => {
      expect(sent({ [name]: "the client's" }).get(name)).toBe("the client's");
    },
  );

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

  it.each([
    ["a=1; session=es1.a.b; session=es1.c.d", "a=1"],
    ["a=1;\tsession =es1.a.b", "a=1"],
    ['a=1; __Host-session="es1.a.b"', "a=1"],
    ['a=1; session="es1.a.b', "a=1"],
    ["a=1; session=es1%2Ea.b", "a=1"],
    ["a=1; my_session=es1.a.b", "a=1; my_session=es1.a.b"],
    ['a="x y" ;b=%41;c', 'a="x y"; b=%41; c'],
  ])("of the cookies %j: %j", (cookie, kept) => {
    expect(sent({ cookie }).get("cookie")).toBe(kept);
  });

  it("no session token that something follows: the origin may read the first word alone", () => {
    expect(sent({ authorization: "Bearer es1.a.b and more" }).has("authorization")).toBe(false);
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

  it.each([
    ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1"],
    ["garbage", null],
    ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01, 00-x", null],
    [undefined, null],
  ])("tracestate goes on with the trace that it belongs to: %s", (traceparent, state) => {
    const given = { tracestate: "vendor=1", ...(traceparent && { traceparent }) };
    expect(sent(given).get("tracestate")).toBe(state);
  });

  it("a user id that is no header text travels percent-encoded", () => {
    expect(sent({}, { user: { id: "zoë\r\nx: y", tier: null } }).get("x-user-id")).toBe(
      "zo%C3%AB%0D%0Ax:%20y",
    );
  });
});
