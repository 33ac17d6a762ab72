import { describe, expect, it } from "vitest";
import { corsPolicy } from "../../../src/http/cors.ts";

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
