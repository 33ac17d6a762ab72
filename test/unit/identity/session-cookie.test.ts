import { describe, expect, it } from "vitest";
import {
  clearedCookie,
  cookiesForOrigin,
  sessionCookie,
  sessionCookieName,
  sessionTokens,
} from "../../../src/identity/session-cookie.ts";
import { NOW } from "../../support/session-samples.ts";

const https = new URL("https://api.example.com/x");
const loopback = new URL("http://localhost:8787/x");

describe("the session cookie", () => {
  it("has the __Host- prefix, HttpOnly and Secure", () => {
    expect(sessionCookie(https, "es1.t", NOW + 60_000, NOW)).toBe(
      "__Host-session=es1.t; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
    expect(clearedCookie(https)).toBe("__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax");
  });

  it("lacks Secure only on http loopback", () => {
    expect(sessionCookie(loopback, "es1.t", NOW + 1000, NOW)).toBe(
      "session=es1.t; Max-Age=1; Path=/; HttpOnly; SameSite=Lax",
    );
    for (const other of ["https://localhost/", "http://example.com/", "http://localhost.example.com/"])
      expect(sessionCookie(new URL(other), "es1.t", NOW, NOW), other).toMatch(/^__Host-session=.*; Secure;/);
  });

  it("expires after at most 400 days, the maximum of browsers", () => {
    expect(sessionCookie(https, "es1.t", NOW + 500 * 86_400_000, NOW)).toContain("; Max-Age=34560000;");
    expect(sessionCookie(https, "es1.t", NOW - 1, NOW)).toContain("; Max-Age=0;");
  });

  it.each([
    ["https://api.example.com/", "__Host-session"],
    ["https://localhost/", "__Host-session"],
    ["http://api.example.com/", "__Host-session"],
    ["http://localhost:8787/", "session"],
    ["http://127.0.0.1/", "session"],
    ["http://[::1]/", "session"],
  ])("at %s is called %s", (url, name) => {
    expect(sessionCookieName(new URL(url))).toBe(name);
  });

  it.each<[at: URL, header: string, tokens: string[]]>([
    [loopback, "a=1; session=es1.a", ["es1.a"]],
    [loopback, "session=es1.a; __Host-session=es1.b", ["es1.a"]],
    [loopback, "session=es1.a; session=es1.b; session=es1.a", ["es1.a", "es1.b"]],
    [loopback, "session=eyJh.b.c; session=es1.b", ["es1.b"]],
    [loopback, "session", []],
    [loopback, "a_session=es1.a; Session=es1.a; xsession=es1.a", []],
    [https, "session=es1.a; __Host-session=es1.b", ["es1.b"]],
    [https, "session=es1.a", []],
    [https, '__Host-session="es1.a"', ["es1.a"]],
    [https, "a=1;\t__Host-session=es1.a ; b=2", ["es1.a"]],
    [https, "__Host-session = es1.a", ["es1.a"]],
    [https, "\u2000__Host-session=es1.a; \u00a0__Host-session=es1.b", []],
    [https, "__Host-session=\u00a0es1.a; __Host-session=\ufeffes1.b", []],
    [https, "__host-session=es1.a; __Secure-session=es1.a; x__Host-session=es1.a", []],
    [https, "__Host-session=es1; __Host-session=es2.a; __Host-session=", []],
  ])("at %s of %j takes %j", (at, header, tokens) => {
    expect(sessionTokens(header, at)).toEqual(tokens);
  });

  it.each<[header: string, kept: string[]]>([
    ["session=eyJh.b.c", ["session=eyJh.b.c"]],
    ["session=es1.a; theme=dark", ["theme=dark"]],
    ["__Host-session=es1.a; session=x", ["session=x"]],
    ['a="1"; __Host-session=app', ['a="1"', "__Host-session=app"]],
    ["\u00a0session=es1.a", ["\u00a0session=es1.a"]],
    // Several lines are one with commas.
    ["a=1, session=es1.x.y", ["a=1"]],
    ["a=1,__Host-session=es1.x.y", ["a=1"]],
    ['a=1,\tsession = "es1.x.y"; b=2', ["a=1", "b=2"]],
    ["a=1, session=es1.x, c=3; b=2", ["a=1, c=3", "b=2"]],
    ["a=1, session=es1.x, __Host-session=es1.y", ["a=1"]],
    [
      "a=1, session=eyJh, xsession=es1.x, session_id=es1.x",
      ["a=1, session=eyJh, xsession=es1.x, session_id=es1.x"],
    ],
  ])("of %j leaves %j to the origin", (header, kept) => {
    expect(cookiesForOrigin(header)).toEqual(kept);
  });

  it("looks at 16 cookies of its name at most", () => {
    const header = Array.from({ length: 100 }, (_, index) => `session=es1.${index}`).join("; ");
    expect(sessionTokens(header, loopback)).toHaveLength(16);
  });
});
