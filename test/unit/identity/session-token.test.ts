import { describe, expect, it } from "vitest";
import { NONCE_BYTES } from "../../../src/identity/sealed-text.ts";
import { MAX_TOKEN_LENGTH, signToken, tokenFits, verifyToken } from "../../../src/identity/session-token.ts";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SECRET = "k1-of-this-test-only-0123456789abcdef";
const open = (token: string, secrets = [SECRET], now = NOW) =>
  verifyToken(token, { secrets, now, absoluteSeconds: 2_592_000 });
const nonce = (fill = 7) => new Uint8Array(NONCE_BYTES).fill(fill);
const base64url = (text: string) => btoa(text).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");

/** A token with this payload and a good signature. */
async function signed(payload: string): Promise<string> {
  const body = base64url(payload);
  const secret = new TextEncoder().encode(SECRET);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`es1.${body}`));
  return `es1.${body}.${base64url(String.fromCharCode(...new Uint8Array(mac)))}`;
}

describe("a session token", () => {
  it("holds the claims that were signed", async () => {
    const token = await signToken(claims(), SECRET);
    expect(token).toMatch(/^es1\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/);
    expect(await open(token)).toEqual(claims());
  });

  it("carries user data only when it was made in an outage, and does not show them", async () => {
    const userData = new JsonText('{"email":"ada@example.org", "list":[1.0,null]}');
    expect(await open(await signToken(claims({ userData }), SECRET))).toEqual(claims());
    const offline = claims({ userData, offline: true });
    const token = await signToken(offline, SECRET, nonce());
    expect(token).toMatch(/^es1(\.[A-Za-z0-9_-]+){3}$/);
    expect(await open(token)).toEqual(offline);
    const shown = token.split(".").map((part) => atob(part.replaceAll("-", "+").replaceAll("_", "/")));
    expect(shown.join()).not.toMatch(/ada@|email|list/);
  });

  it("of an outage opens with an older secret during a rotation of secrets", async () => {
    const old = "old-secret-of-this-test-0123456789";
    const offline = claims({ userData: new JsonText("[1.0]"), offline: true });
    const token = await signToken(offline, old, nonce());
    expect(await open(token, [SECRET, old])).toEqual(offline);
    expect(await open(token, [old, SECRET])).toEqual(offline);
    expect(await open(token, [SECRET])).toBeNull();
  });

  it("of an outage is refused when any one character is changed, or a part is taken from another", async () => {
    const offline = (text: string) => claims({ userData: new JsonText(text), offline: true });
    const token = await signToken(offline("[1]"), SECRET, nonce());
    for (let at = 0; at < token.length - 1; at += 1) {
      const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
      expect(await open(changed), `changed at ${at}`).toBeNull();
    }
    const other = (await signToken(offline("[2]"), SECRET, nonce(2))).split(".");
    const [prefix, body, sealed, mac] = token.split(".");
    for (const parts of [
      [prefix, body, other[2], mac],
      [prefix, body, sealed, other[3]],
      [prefix, body, mac],
      [prefix, body, "", mac],
      [prefix, body, sealed, sealed, mac],
    ])
      expect(await open(parts.join("."))).toBeNull();
  });

  it("of an outage is signed with a nonce only", async () => {
    await expect(signToken(claims({ userData: new JsonText("{}"), offline: true }), SECRET)).rejects.toThrow(
      TypeError,
    );
  });

  it("of an outage and an earlier version is read, its user data in clear text", async () => {
    const { id: i, userId: u, issuedAt: a, expiresAt: e, confirmedAt: c } = claims();
    const token = await signed(JSON.stringify({ i, u, a, e, c, o: 1, d: { plan: "free" } }));
    expect(await open(token)).toMatchObject({ offline: true, userData: { text: '{"plan":"free"}' } });
  });

  it("fits into a cookie exactly where tokenFits returns true", async () => {
    const fits = new Set<boolean>();
    for (let length = 2600; length < 2900; length += 1) {
      const big = claims({ userData: new JsonText(`"${"x".repeat(length)}"`), offline: true });
      const token = await signToken(big, SECRET, nonce());
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
      expect(await open(await signed(payload)), payload).toBeNull();
    }
  });
});
