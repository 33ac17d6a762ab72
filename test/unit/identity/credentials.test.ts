import { describe, expect, it } from "vitest";
import { Problem } from "../../../src/http/problem.ts";
import { readCredentials } from "../../../src/identity/credentials.ts";

const read = (headers: Record<string, string>, query = "", jwt = true) =>
  readCredentials(new Headers(headers), new URL(`https://edge.example/v1/x${query}`), { jwt });

describe("the credentials of a request", () => {
  it("a bearer that starts with es1. is a session token and nothing else", () => {
    expect(read({ authorization: "Bearer es1.a.b" })).toMatchObject({
      sessionToken: { raw: "es1.a.b", tokenSource: "bearer" },
      jwt: null,
      apiKey: null,
    });
  });

  it("three dot-separated parts are a JWT only where JWT is configured", () => {
    expect(read({ authorization: "Bearer a.b.c" })).toMatchObject({ jwt: "a.b.c", apiKey: null });
    expect(read({ authorization: "Bearer a.b.c" }, "", false)).toMatchObject({ jwt: null, apiKey: "a.b.c" });
  });

  it("any other bearer, X-API-Key and ?api_key= are an API key", () => {
    expect(read({ authorization: "bearer my-key" }).apiKey).toBe("my-key");
    expect(read({ "x-api-key": "my-key" }).apiKey).toBe("my-key");
    expect(read({}, "?api_key=my-key").apiKey).toBe("my-key");
    expect(read({ "x-api-key": "my-key", authorization: "Bearer my-key" }, "?api_key=my-key").apiKey).toBe(
      "my-key",
    );
  });

  it("a session cookie travels beside an API key; a bearer token wins over the cookie", () => {
    const both = read({ cookie: "a=1; __Host-session=es1.c.d; session=es1.old.x", "x-api-key": "k" });
    expect(both).toMatchObject({
      sessionToken: { raw: "es1.c.d", tokenSource: "cookie" },
      apiKey: "k",
      sessionCookie: true,
    });
    expect(
      read({ cookie: "__Host-session=es1.c.d", authorization: "Bearer es1.a.b" }).sessionToken?.tokenSource,
    ).toBe("bearer");
  });

  it("an application's cookie of the same name hides no credential beside it", () => {
    const app = { cookie: `session=${"x".repeat(5000)}; __Host-session=eyJh.b.c` };
    expect(read({ ...app, authorization: "Bearer a.b.c" })).toMatchObject({
      sessionToken: null,
      jwt: "a.b.c",
    });
    expect(read({ ...app, "x-api-key": "k" })).toMatchObject({ sessionToken: null, apiKey: "k" });
  });

  it("further session cookies stand beside the first", () => {
    const { sessionToken } = read({ cookie: "__Host-session=es1.a.b; __Host-session=es1.c.d" });
    expect(sessionToken).toEqual({ raw: "es1.a.b", others: ["es1.c.d"], tokenSource: "cookie" });
  });

  it("two words after the scheme are no bearer, and a credential all the same", () => {
    expect(read({ authorization: "Bearer my-key other" })).toMatchObject({ apiKey: null, any: true });
    expect(read({ authorization: "Bearer es1.a.b other" })).toMatchObject({ sessionToken: null, any: true });
  });

  it("include whether there is any credential, also one that the edge does not read", () => {
    for (const name of [
      "authorization",
      "cookie",
      "x-api-key",
      "apikey",
      "x-auth-token",
      "x-session-token",
      "x_api_key",
    ]) {
      expect(read({ [name]: "anything" }).any, name).toBe(true);
    }
    expect(read({}, "?api_key=k").any).toBe(true);
    expect(read({ accept: "*/*" }, "?q=1").any).toBe(false);
  });
});

describe("what is refused with 400", () => {
  const refused: [what: string, headers: Record<string, string>, query: string, code: string][] = [
    [
      "two different API keys",
      { "x-api-key": "one", authorization: "Bearer two" },
      "",
      "AMBIGUOUS_CREDENTIALS",
    ],
    ["two in the query", {}, "?api_key=one&api_key=two", "AMBIGUOUS_CREDENTIALS"],
  ];
  it.each(refused)("%s", (_what, headers, query, code) => {
    const error = (() => {
      try {
        return read(headers, query);
      } catch (cause) {
        return cause;
      }
    })();
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({ facts: { status: 400, code } });
  });
});

describe("what is left to the origin, unread", () => {
  const long = "k".repeat(16_385);
  const jwt = `${"a".repeat(16_381)}.b.c`;
  type Row = [what: string, headers: Record<string, string>, query: string, read: object];
  it.each<Row>([
    ["a key of more than 16 KiB", { "x-api-key": long }, "", { apiKey: null, unread: true }],
    ["one in the query", {}, `?api_key=${long}`, { apiKey: null, unread: true }],
    ["one beside a key", { "x-api-key": long }, "?api_key=k", { apiKey: "k", unread: true }],
    ["a bearer", { authorization: `Bearer ${long}` }, "", { apiKey: null, jwt: null, unread: true }],
    ["a JWT", { authorization: `Bearer ${jwt}` }, "", { apiKey: null, jwt: null, unread: true }],
    ["a token", { authorization: `Bearer es1.${long}` }, "", { sessionToken: null, unread: true }],
    ["the JWT of a cookie", { cookie: `jwt=${jwt}` }, "", { jwt: null, any: true }],
  ])("%s", (_what, headers, query, expected) => {
    const url = new URL(`https://edge.example/v1/x${query}`);
    const read = readCredentials(new Headers(headers), url, { jwt: true, jwtCookie: "jwt" });
    expect(read).toMatchObject({ any: true, ...expected });
  });

  it("a credential of 16 KiB is read", () => {
    const key = "k".repeat(16_384);
    expect(read({ "x-api-key": key })).toMatchObject({ apiKey: key });
    expect(read({ "x-api-key": key })).not.toHaveProperty("unread");
  });

  it.each<[headers: Record<string, string>, query: string]>([
    [{ "x-api-key": "one", authorization: "Bearer two" }, "?api_key=three"],
    [{ authorization: "Bearer a.b.c" }, ""],
    [{ cookie: "jwt=a.b.c" }, ""],
  ])("%j%s on a route that asks nobody who calls", (headers, query) => {
    const url = new URL(`https://edge.example/v1/x${query}`);
    const options = { jwt: true, jwtCookie: "jwt", used: false };
    const expected = { apiKey: null, jwt: null, unread: true, any: true };
    expect(readCredentials(new Headers(headers), url, options)).toMatchObject(expected);
  });

  it("a session is read on every route", () => {
    const url = new URL("https://edge.example/v1/x");
    const headers = new Headers({ authorization: "Bearer es1.a.b" });
    expect(readCredentials(headers, url, { jwt: true, used: false }).sessionToken?.raw).toBe("es1.a.b");
  });
});

describe("JWT_COOKIE", () => {
  type Row = [headers: Record<string, string>, jwt: string | null, apiKey: string | null, jwtCookie?: true];
  it.each<Row>([
    [{ cookie: "a=1; token=x.y.z; b=2" }, "x.y.z", null, true],
    [{ cookie: 'token="x.y.z"' }, "x.y.z", null, true],
    [{ cookie: "token=none; token=x.y.z" }, "x.y.z", null, true],
    [{ cookie: "token=x.y.z", authorization: "Bearer a.b.c" }, "a.b.c", null],
    [{ cookie: "token=x.y.z", authorization: "Bearer my-key" }, "x.y.z", "my-key", true],
    [{ cookie: "token=x.y.z; __Host-session=es1.a.b" }, "x.y.z", null, true],
    [{ cookie: "token=x.y" }, null, null],
    [{ cookie: "Token=x.y.z" }, null, null],
    [{ cookie: "token" }, null, null],
    [{ cookie: "token=es1.a.b" }, null, null],
  ])("%j: the JWT %j, the key %j", (headers, jwt, apiKey, jwtCookie) => {
    const url = new URL("https://edge.example/v1/x");
    const found = readCredentials(new Headers(headers), url, { jwt: true, jwtCookie: "token" });
    expect([found.jwt, found.apiKey, found.jwtCookie]).toEqual([jwt, apiKey, jwtCookie]);
    expect(readCredentials(new Headers(headers), url, { jwt: false, jwtCookie: "token" }).jwt).toBeNull();
  });
});

it("a key of API_KEYS that looks like a JWT is a key", () => {
  const url = new URL("https://edge.example/v1/x");
  const headers = new Headers({ authorization: "Bearer SG.0123456789.abcdef" });
  const isConfiguredKey = (text: string) => text === "SG.0123456789.abcdef";
  expect(readCredentials(headers, url, { jwt: true, isConfiguredKey })).toMatchObject({
    apiKey: "SG.0123456789.abcdef",
    jwt: null,
  });
});
