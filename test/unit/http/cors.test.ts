import { describe, expect, it } from "vitest";
import { corsPolicy, dropOriginCors } from "../../../src/http/cors.ts";

const app = "https://app.example.com";
const policy = corsPolicy({ origins: [app] });
const request = (method: string, headers: Record<string, string>) =>
  new Request("https://edge.example/v1/x", { method, headers });
const preflight = (origin: string) =>
  request("OPTIONS", {
    origin,
    "access-control-request-method": "POST",
    "access-control-request-headers": "content-type, x-own",
  });

describe("with a list of origins the edge owns CORS", () => {
  it("answers a preflight of a listed origin", () => {
    const response = policy.preflight(preflight(app));
    expect(response?.status).toBe(204);
    expect(Object.fromEntries(response?.headers ?? [])).toMatchObject({
      "access-control-allow-origin": app,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": "Content-Type, Authorization, X-API-Key, X-Requested-With, x-own",
    });
    expect(response?.headers.get("vary")).toContain("Origin");
  });

  it("answers one of another origin without granting anything", () => {
    const response = policy.preflight(preflight("https://evil.example"));
    expect(response?.status).toBe(204);
    expect([...(response?.headers.keys() ?? [])]).toEqual(["vary"]);
  });

  const GENERAL = "GET, HEAD, POST, PUT, PATCH, DELETE";
  it.each<[asked: string, ofRoute: string[], allowed: string]>([
    ["POST", [], GENERAL],
    ["QUERY", [], `${GENERAL}, QUERY`],
    ["patch", [], `${GENERAL}, patch`],
    ["PROPFIND", [], `${GENERAL}, PROPFIND`],
    ["QUERY", ["GET", "HEAD", "QUERY"], "GET, HEAD, QUERY"],
    ["DELETE", ["DELETE"], "DELETE"],
    ["TRACE", [], GENERAL],
    ["connect", [], GENERAL],
    ["A B", [], GENERAL],
    ["x".repeat(65), [], GENERAL],
  ])("allows for %s, on a route with the methods %j: %s", (asked, ofRoute, allowed) => {
    const asking = request("OPTIONS", { origin: app, "access-control-request-method": asked });
    const response = policy.preflight(asking, () => ofRoute);
    expect(response?.headers.get("access-control-allow-methods")).toBe(allowed);
  });

  it.each<[theirs: string, exposed: string[], hidden: string[]]>([
    ["X-Total-Count", ["X-Total-Count", "X-Cache", "X-Request-Id"], []],
    ["x-total-count, Link", ["x-total-count", "Link"], []],
    ["Content-Disposition,,  ", ["Content-Disposition"], [""]],
    ["etag, AGE", ["ETag", "Age"], ["etag", "AGE"]],
    // By which a page reads X-RateLimit-Reset, whatever its own clock says.
    ["", ["Date", "X-RateLimit-Reset"], []],
    // What the edge's own 401, 405, 206 and 416 say.
    ["", ["WWW-Authenticate", "Allow", "Content-Range"], []],
    ["bad name, X-Good", ["X-Good"], ["bad name"]],
    ["*", ["x-total-count", "content-type", "Retry-After"], ["*", "set-cookie"]],
    ["*, X-Later", ["X-Later", "x-total-count"], ["*"]],
    ["", ["X-Cache"], [""]],
    ["x".repeat(65), ["X-Cache"], ["x".repeat(65)]],
    ["X-Own", ["X-Own", "X-Configured"], []],
  ])("merges the origin's Access-Control-Expose-Headers: %j", (theirs, exposed, hidden) => {
    const headers = {
      "access-control-expose-headers": theirs,
      "x-total-count": "7",
      "content-type": "text/plain",
      "set-cookie": "a=b",
    };
    const configured = corsPolicy({ origins: [app], exposed: ["X-Configured"] });
    const merged = configured.apply(request("GET", { origin: app }), new Response("x", { headers }));
    const names = merged.headers.get("access-control-expose-headers")?.split(", ") ?? [];
    expect(names).toEqual(expect.arrayContaining(exposed));
    expect(names.filter((name) => hidden.includes(name))).toEqual([]);
    expect(new Set(names.map((name) => name.toLowerCase())).size, "each once").toBe(names.length);
    const other = configured.apply(request("GET", {}), new Response("x", { headers }));
    expect(other.headers.has("access-control-expose-headers"), "for listed pages alone").toBe(false);
  });

  it("leaves an OPTIONS alone that is no preflight", () => {
    expect(policy.preflight(request("OPTIONS", { origin: app }))).toBeNull();
    expect(
      policy.preflight(request("POST", { origin: app, "access-control-request-method": "POST" })),
    ).toBeNull();
  });

  it("puts its own headers on every answer and drops the origin's", () => {
    const answer = () =>
      new Response("x", {
        status: 429,
        headers: {
          "access-control-allow-origin": "*",
          "access-control-expose-headers": "X-Theirs",
          vary: "Accept-Language",
        },
      });
    const own = policy.apply(request("GET", { origin: app }), answer());
    expect(own.headers.get("access-control-allow-origin")).toBe(app);
    expect(own.headers.get("access-control-expose-headers")).toMatch(
      /Retry-After.*X-RateLimit-Remaining.*X-Session-Token/,
    );
    expect(own.headers.get("vary")).toBe("Accept-Language, Origin");
    const other = policy.apply(request("GET", { origin: "https://evil.example" }), answer());
    expect([...other.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect(other.headers.get("vary")).toBe("Accept-Language, Origin");
  });
});

it("without a list everything passes untouched", () => {
  const none = corsPolicy(null);
  const response = new Response("x", { headers: { "access-control-allow-origin": "*" } });
  expect(none.preflight(preflight(app))).toBeNull();
  expect(none.apply(request("GET", { origin: app }), response)).toBe(response);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
});

it("what is stored says nothing of a page, and what pages may read", () => {
  const headers = new Headers({
    "access-control-allow-origin": app,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "X-Total-Count",
  });
  dropOriginCors(headers);
  expect([...headers]).toEqual([["access-control-expose-headers", "X-Total-Count"]]);
});
