import { describe, expect, it } from "vitest";
import { Problem } from "../../../src/http/problem.ts";
import { readCredentials } from "../../../src/identity/credentials.ts";

const read = (headers: Record<string, string>, query = "", jwt = true) =>
  readCredentials(new Headers(headers), new URL(`https://edge.example/v1/x${query}`), jwt);

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
    ["a key of 64 KiB", { "x-api-key": "k".repeat(65_536) }, "", "CREDENTIAL_TOO_LONG"],
    ["a token of 64 KiB", { authorization: `Bearer es1.${"k".repeat(65_536)}` }, "", "CREDENTIAL_TOO_LONG"],
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
