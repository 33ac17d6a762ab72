import { describe, expect, it } from "vitest";
import { cleanResponse } from "../../../src/origin/response-headers.ts";

const addresses = {
  originUrl: new URL("https://api.example.com/v1/x"),
  edgeUrl: new URL("https://edge.example/v1/x"),
  basePath: "",
};

/** What the runtime's fetch may return: a status that no Response with a body could be made with. */
function answer(status: number, body: string | null): Response {
  return Object.defineProperty(new Response(body), "status", { value: status });
}

describe("an answer that must have no content, and has some", () => {
  it.each([204, 205, 304])("%i reaches the client without it", async (status) => {
    const { response } = cleanResponse(answer(status, "left behind"), addresses);
    expect(response.status).toBe(status);
    expect(await response.text(), "the content is dropped, the answer is not").toBe("");
  });
});

it("a switch to a WebSocket says nothing of content, which it has not (RFC 9110 §15.2)", () => {
  const headers = {
    "content-encoding": "gzip",
    "content-type": "text/plain",
    "sec-websocket-protocol": "chat",
    "set-cookie": "a=1",
  };
  const webSocket = new WebSocketPair()[0];
  const { response } = cleanResponse(new Response(null, { status: 101, webSocket, headers }), addresses);
  expect(response.webSocket).toBe(webSocket);
  expect([...response.headers.keys()].sort()).toEqual(["sec-websocket-protocol", "set-cookie"]);
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
      // The edge's host is not in this domain: a browser would refuse it there.
      "c=4",
    ]);
  });

  it("a cookie for a domain that the edge is in keeps it; its path is without the base path", () => {
    const { response } = clean([
      ["set-cookie", "a=1; Domain=edge.example; Path=/base"],
      ["set-cookie", "b=2; Path=/base/admin; HttpOnly"],
    ]);
    expect(response.headers.getSetCookie()).toEqual([
      "a=1; Domain=edge.example; Path=/",
      "b=2; Path=/admin; HttpOnly",
    ]);
  });

  it("its links lead to the edge", () => {
    const { response } = clean([
      ["link", '<http://internal:8000/base/p?page=2>; rel="next", </base/style.css>; rel=preload'],
      ["content-location", "/base/v1/x.json"],
    ]);
    expect(response.headers.get("link")).toBe(
      '<https://edge.example/p?page=2>; rel="next", </style.css>; rel=preload',
    );
    expect(response.headers.get("content-location")).toBe("/v1/x.json");
  });

  /** Fields that hold an address, and what stands around it. */
  it.each<[name: string, around: (address: string) => string]>([
    ["Location", (address) => address],
    ["Content-Location", (address) => address],
    ["Operation-Location", (address) => address],
    ["Azure-AsyncOperation", (address) => address],
    ["SourceMap", (address) => address],
    ["X-SourceMap", (address) => address],
    ["Service-Worker-Allowed", (address) => address],
    ["Link", (address) => `<${address}>; rel="next"`],
    ["Refresh", (address) => `3; url=${address}`],
    ["WWW-Authenticate", (address) => `Bearer resource_metadata="${address}"`],
    ["Reporting-Endpoints", (address) => `csp="${address}"`],
    ["Report-To", (address) => `{"group":"csp","max_age":600,"endpoints":[{"url":"${address}"}]}`],
    ["Speculation-Rules", (address) => `"${address}"`],
    ["HX-Redirect", (address) => address],
    ["HX-Location", (address) => address],
    ["HX-Push-Url", (address) => address],
    ["HX-Replace-Url", (address) => address],
    ["X-Inertia-Location", (address) => address],
    ["Turbo-Location", (address) => address],
  ])("%s names the edge's host, without the base path", (name, around) => {
    const through = (address: string) => clean([[name, around(address)]], 401).response.headers.get(name);
    expect(through("http://internal:8000/base/v1/y?a=1")).toBe(around("https://edge.example/v1/y?a=1"));
    expect(through("/base/v1/y")).toBe(around("/v1/y"));
    for (const other of ["https://elsewhere.example/base/y", "/v1/y", "y.json", "data:text/plain,y"])
      expect(through(other)).toBe(around(other));
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

describe("of what a server says of itself or to the proxy before it", () => {
  const addresses = {
    originUrl: new URL("https://api.internal/v1/x"),
    edgeUrl: new URL("https://edge.example/v1/x"),
    basePath: "",
  };
  const through = (name: string, value: string) =>
    cleanResponse(new Response("x", { headers: { [name]: value } }), addresses).response.headers.get(name);

  it.each([
    ["Alt-Svc", 'h3=":443"; ma=86400'],
    ["Alt-Svc", "clear"],
    ["Public-Key-Pins", 'pin-sha256="x"; max-age=5184000'],
    ["Public-Key-Pins-Report-Only", 'pin-sha256="x"'],
    ["Expect-CT", "max-age=86400, enforce"],
    ["NEL", '{"report_to":"heroku-nel","max_age":3600}'],
    ["Keep-Alive", "timeout=5"],
    ["Proxy-Connection", "keep-alive"],
    ["Proxy-Authenticate", "Basic"],
    ["Proxy-Authentication-Info", 'nextnonce="x"'],
    ["Trailer", "X-Checksum"],
    ["TE", "trailers"],
    ["Upgrade", "h2c"],
    ["X-Accel-Redirect", "/protected/file"],
    ["X-Sendfile", "/srv/file"],
  ])("%s goes", (name, value) => {
    expect(through(name, value)).toBeNull();
  });

  it.each([
    ["Strict-Transport-Security", "max-age=63072000; includeSubDomains"],
    ["Server-Timing", "db;dur=53"],
    ["Report-To", '{"group":"csp","max_age":1,"endpoints":[]}'],
    ["Reporting-Endpoints", 'csp="https://reports.example"'],
    ["Clear-Site-Data", '"cookies"'],
    ["Via", "1.1 varnish"],
    ["Proxy-Status", "varnish; error=dns_timeout"],
    ["Server", "nginx"],
    ["Accept-CH", "Sec-CH-UA"],
    ["X-Accel-Buffering", "no"],
    ["Content-Security-Policy", "default-src 'self'"],
    ["Refresh", "5"],
    ["Refresh", "5; url=https://elsewhere.example/y"],
  ])("%s stays: %s", (name, value) => {
    expect(through(name, value)).toBe(value);
  });

  it.each([
    ["3; url=https://api.internal/next", "3; url=https://edge.example/next"],
    ["0;URL='https://api.internal/next?a=1'", "0;URL='https://edge.example/next?a=1'"],
    ['1, url="https://api.internal/"', '1, url="https://edge.example/"'],
    ["2; https://api.internal/x", "2; https://edge.example/x"],
    ["3; url=/next", "3; url=/next"],
  ])("Refresh names the edge's host: %s", (value, expected) => {
    expect(through("refresh", value)).toBe(expected);
  });
});
