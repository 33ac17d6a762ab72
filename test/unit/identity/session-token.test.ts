import { describe, expect, it } from "vitest";
import { MAX_TOKEN_LENGTH, signToken, tokenFits, verifyToken } from "../../../src/identity/session-token.ts";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SECRET = "k1-of-this-test-only-0123456789abcdef";
const open = (token: string, secrets = [SECRET], now = NOW) => verifyToken(token, { secrets, now });

describe("a session token", () => {
  it("holds the claims that were signed", async () => {
    const token = await signToken(claims(), SECRET);
    expect(token).toMatch(/^es1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    expect(await open(token)).toEqual(claims());
  });

  it("carries user data only when it was made in an outage", async () => {
    const userData = new JsonText('{"plan":"π", "list":[1.0,null]}');
    expect(await open(await signToken(claims({ userData }), SECRET))).toEqual(claims());
    expect(await open(await signToken(claims({ userData, offline: true }), SECRET))).toEqual(
      claims({ userData, offline: true }),
    );
  });

  it("fits into a cookie exactly where tokenFits returns true", async () => {
    const fits = new Set<boolean>();
    for (let length = 2800; length < 3000; length += 1) {
      const big = claims({ userData: new JsonText(`"${"x".repeat(length)}"`), offline: true });
      const token = await signToken(big, SECRET);
      expect(tokenFits(big), `${token.length} characters`).toBe(token.length <= MAX_TOKEN_LENGTH);
      fits.add(tokenFits(big));
    }
    expect([...fits], "both were tried").toEqual([true, false]);
  });

  it("is refused where its user id is not well-formed", async () => {
    expect(await open(await signToken(claims({ userId: "u\ud800" }), SECRET))).toBeNull();
  });

  it("is valid with an older secret during a rotation of secrets, and not with an unknown one", async () => {
    const old = await signToken(claims(), "old-secret-of-this-test-0123456789");
    expect(await open(old, [SECRET, "old-secret-of-this-test-0123456789"])).toEqual(claims());
    expect(await open(old, [SECRET])).toBeNull();
    expect(await open(old, []), "without any secret nothing is genuine").toBeNull();
  });

  it("is invalid from its absolute end on", async () => {
    const token = await signToken(claims(), SECRET);
    expect(await open(token, [SECRET], claims().expiresAt - 1)).not.toBeNull();
    expect(await open(token, [SECRET], claims().expiresAt)).toBeNull();
  });

  it("is refused when any one character is changed", async () => {
    const token = await signToken(claims(), SECRET);
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === "A" ? "B" : "A";
      const changed = `${token.slice(0, at)}${other}${token.slice(at + 1)}`;
      // The last character of base64url holds two bits that are no part of the bytes.
      if (at === token.length - 1) continue;
      expect(await open(changed), `changed at ${at}`).toBeNull();
    }
  });

  it.each([
    "",
    "es1",
    "es1..",
    "es1.e30.",
    "es1.e30.AAAA",
    "es2.e30.AAAA",
    `es1.${"A".repeat(5000)}.${"A".repeat(43)}`,
    `es1.=.${"A".repeat(43)}`,
    `es1.e30.${"A".repeat(43)}.x`,
    `es1.%00.${"é".repeat(43)}`,
  ])("is refused: %j", async (text) => {
    expect(await open(text)).toBeNull();
  });

  it("is refused where its signed payload is not a session", async () => {
    for (const payload of ["null", "[]", "{}", '{"i":"short","u":"x","a":1,"e":9e15,"c":1}', "not json"]) {
      const body = btoa(payload).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
      const key = await crypto.subtle.importKey(
        "raw",
        new TextEncoder().encode(SECRET),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["sign"],
      );
      const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`es1.${body}`));
      const text = btoa(String.fromCharCode(...new Uint8Array(mac)));
      const signature = text.replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
      expect(await open(`es1.${body}.${signature}`), payload).toBeNull();
    }
  });
});
