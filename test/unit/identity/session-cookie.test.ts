import { describe, expect, it } from "vitest";
import { cookiePairs, cookieValue } from "../../../src/http/cookies.ts";
import {
  clearedCookie,
  sessionCookie,
  sessionCookieName,
  sessionPair,
  setsSessionCookie,
} from "../../../src/identity/session-cookie.ts";
import { NOW } from "../../support/session-samples.ts";

const https = new URL("https://api.example.com/x");
const loopback = new URL("http://localhost:8787/x");

describe("the session cookie", () => {
  it("is bound to its host, unreadable to scripts, and only for https", () => {
    expect(sessionCookie(https, "es1.t", NOW + 60_000, NOW)).toBe(
      "__Host-session=es1.t; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax",
    );
    expect(clearedCookie(https)).toBe("__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax");
  });

  it("does without Secure on http of this machine only", () => {
    expect(sessionCookie(loopback, "es1.t", NOW + 1000, NOW)).toBe(
      "session=es1.t; Max-Age=1; Path=/; HttpOnly; SameSite=Lax",
    );
    for (const other of ["https://localhost/", "http://example.com/", "http://localhost.example.com/"])
      expect(sessionCookie(new URL(other), "es1.t", NOW, NOW), other).toMatch(/^__Host-session=.*; Secure;/);
  });

  it("lives at most as long as a browser keeps one: 400 days", () => {
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

  it.each<[header: string, value: string | null]>([
    ["a=1; session=es1.a", "es1.a"],
    ["session=es1.a; __Host-session=es1.b", "es1.b"],
    ["session=es1.a; session=es1.b", "es1.a"],
    ['__Host-session="es1.a"', "es1.a"],
    ["session", null],
    ["a_session=es1.a", null],
  ])("of %j holds %j", (header, value) => {
    const pair = sessionPair(cookiePairs(header));
    expect(pair && cookieValue(pair)).toBe(value);
  });

  it("is told from others that are set", () => {
    for (const field of [sessionCookie(https, "t", NOW, NOW), clearedCookie(loopback), "session=x"])
      expect(setsSessionCookie(field), field).toBe(true);
    for (const field of ["session_id=x", "theme=session", "__host-session=x"])
      expect(setsSessionCookie(field), field).toBe(false);
  });
});
