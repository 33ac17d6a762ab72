import { CompactSign, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import type { JwtConfig } from "../../../src/config/config.ts";
import { createEvents } from "../../../src/events/events.ts";
import { createJwtVerifier } from "../../../src/identity/jwt.ts";
import { DEEP, DEEP_JSON } from "../../support/deep-json.ts";
import { testPlatform } from "../../support/platform.ts";

const SECRETS = ["new-secret-of-this-test-0123456789ab", "old-secret-of-this-test-0123456789ab"];
const MINUTE = 60_000;
const bytes = (text: string) => new TextEncoder().encode(text);

interface Signer {
  kid: string;
  alg: string;
  key: CryptoKey;
  jwk: JWK;
}
let signers: Record<"RS256" | "ES256" | "EdDSA" | "next", Signer>;
beforeAll(async () => {
  const signer = async (kid: string, alg: string): Promise<Signer> => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    return { kid, alg, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg } };
  };
  signers = {
    RS256: await signer("r", "RS256"),
    ES256: await signer("e", "ES256"),
    EdDSA: await signer("d", "EdDSA"),
    next: await signer("n", "ES256"),
  };
});

const ISSUER = { issuer: "https://id.example", audiences: ["api"] };

function harness({
  secrets = SECRETS,
  keySet = () => Object.values(signers).slice(0, 3),
  jwt = {},
}: {
  secrets?: string[];
  keySet?: () => { jwk: JWK }[];
  jwt?: Partial<JwtConfig>;
} = {}) {
  const wire = {
    asked: 0,
    answer: () => Response.json({ keys: keySet().map(({ jwk }) => jwk) }),
    hold: null as Promise<void> | null,
  };
  const platform = testPlatform({
    fetch: async () => {
      wire.asked += 1;
      await wire.hold;
      return wire.answer();
    },
  });
  const verify = createJwtVerifier({
    platform,
    events: createEvents({ platform, write: () => {} }),
    jwt: {
      secrets,
      jwksUrl: "https://id.example/jwks",
      forKeySet: ISSUER,
      forSecrets: ISSUER,
      tierClaim: "plan",
      cookie: null,
      ...jwt,
    },
  });
  const claims = (over: Record<string, unknown> = {}) =>
    new SignJWT({
      sub: "user_1",
      plan: "premium",
      iss: "https://id.example",
      aud: "api",
      exp: Math.floor(platform.now() / 1000) + 3600,
      ...over,
    });
  const hs256 = (over: Record<string, unknown> = {}, secret = SECRETS[0] ?? "", header: object = {}) =>
    claims(over)
      .setProtectedHeader({ alg: "HS256", ...header })
      .sign(bytes(secret));
  const signed = ({ kid, alg, key }: Signer, over: Record<string, unknown> = {}) =>
    claims(over).setProtectedHeader({ alg, kid }).sign(key);
  return { platform, verify, wire, hs256, signed };
}

const verified = {
  kind: "verified",
  userId: "user_1",
  tier: "premium",
  claims: expect.any(String) as string,
};
const invalid = { kind: "invalid" };

describe("a JWT", () => {
  it("is valid when any of the secrets signed it, and names user and tier", async () => {
    const { verify, hs256, wire } = harness();
    expect(await verify(await hs256())).toEqual(verified);
    expect(await verify(await hs256({}, SECRETS[1]))).toEqual(verified);
    for (const plan of [7, "gold\udc00"])
      expect(await verify(await hs256({ plan }))).toEqual({ ...verified, tier: null });
    expect(wire.asked, "no key set is needed for that").toBe(0);
  });

  it.each<[string, Record<string, unknown>, boolean]>([
    ["when it was issued", { iat: 5 }, true],
    ["when it ends", { exp: 4_000_000_000 }, true],
    ["from when on it counts", { nbf: 5 }, true],
    ["its own id", { jti: "x" }, true],
    ["what was there before", { aud: "api", plan: "premium" }, true],
    ["its scope", { scope: "profile" }, false],
    ["its client", { azp: "third-party" }, false],
    ["its subject", { sub: "user_2" }, false],
    ["its tier", { plan: "basic" }, false],
    ["a claim that is null", { org: null }, false],
    ["a claim in a claim", { act: { sub: "x", iat: 5 } }, false],
  ])("claims the same as another that differs by %s", async (_, over, same) => {
    const { verify, hs256 } = harness();
    const [one, other] = [await verify(await hs256()), await verify(await hs256(over))];
    if (one.kind !== "verified" || other.kind !== "verified") throw new Error("not verified");
    expect(one.claims === other.claims).toBe(same);
  });

  it.each(Object.entries(DEEP_JSON))("is valid with a claim of %s, however deep", async (_, json) => {
    const { platform, verify } = harness();
    const exp = Math.floor(platform.now() / 1000) + 3600;
    const known = `"sub":"user_1","plan":"premium","iss":"https://id.example","aud":"api","exp":${exp}`;
    const signing = new CompactSign(bytes(`{${known},"x":${json(DEEP)}}`)).setProtectedHeader({
      alg: "HS256",
    });
    expect(await verify(await signing.sign(bytes(SECRETS[0] ?? "")))).toEqual(verified);
  });

  it.each(["RS256", "ES256", "EdDSA"] as const)(
    "is valid when a key of the set signed it with %s",
    async (alg) => {
      const { verify, signed, wire } = harness();
      expect(await verify(await signed(signers[alg]))).toEqual(verified);
      expect(await verify(await signed(signers[alg]))).toEqual(verified);
      expect(wire.asked, "the key set is asked for once").toBe(1);
    },
  );

  it.each<[what: string, over: object, reason: string, secret?: string | undefined]>([
    ["the signature of an unknown secret", {}, "signature", "stranger-secret-of-this-test-01234567"],
    ["no exp", { exp: undefined }, "claims"],
    ["an exp that is a text", { exp: "9999999999" }, "claims"],
    ["an exp that is null", { exp: null }, "claims"],
    ["an exp in the past", { exp: 1 }, "expired"],
    ["an exp in the past, by the old secret", { exp: 1 }, "expired", SECRETS[1]],
    ["another issuer", { iss: "https://evil.example" }, "issuer"],
    ["an issuer that differs by its last slash", { iss: "https://id.example/" }, "issuer"],
    ["a list of issuers", { iss: ["https://id.example"] }, "issuer"],
    ["another audience", { aud: "other" }, "audience"],
    ["an audience in another case", { aud: "API" }, "audience"],
    ["a list without the audience", { aud: ["other", "apis"] }, "audience"],
    ["an audience that is an object", { aud: { api: true } }, "audience"],
    ["an audience beside a good client", { aud: "other", client_id: "api", azp: "api" }, "audience"],
    ["an audience that is null, beside a good client", { aud: null, client_id: "api" }, "audience"],
    ["no audience in its list, and a good client", { aud: [], client_id: "api" }, "audience"],
    ["neither audience nor client", { aud: undefined }, "audience"],
    ["another client", { aud: undefined, client_id: "other" }, "audience"],
    ["another client, and a good azp", { aud: undefined, client_id: "other", azp: "api" }, "audience"],
    ["a list of clients", { aud: undefined, client_id: ["api"] }, "audience"],
    ["another azp", { aud: undefined, azp: "other" }, "audience"],
    ["no subject", { sub: undefined }, "subject"],
    ["a number as its subject", { sub: 42 }, "subject"],
    ["an empty subject", { sub: "" }, "subject"],
    ["a lone surrogate in its subject", { sub: "user_\ud800" }, "subject"],
    ["an nbf in the future", { nbf: 4_000_000_000 }, "not yet valid"],
    ["an nbf that is a text", { nbf: "1" }, "not yet valid"],
  ])("is invalid with %s", async (_, over, reason, secret) => {
    const { verify, hs256 } = harness();
    expect(await verify(await hs256({ ...over }, secret))).toEqual({ kind: "invalid", reason });
  });

  it.each(["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT", "acme-api+jwt", "Bearer", "", 7])(
    "is valid with the typ %j: issuers call access tokens by many names",
    async (typ) => {
      const { verify, hs256 } = harness();
      expect(await verify(await hs256({}, undefined, { typ }))).toEqual(verified);
    },
  );

  it.each([
    ...["logout+jwt", "Logout+JWT", "secevent+jwt", "application/secevent+jwt", "token-introspection+jwt"],
    ...["statuslist+jwt", "entity-statement+jwt", "trust-mark+jwt", "oauth-authz-req+jwt", "dpop+jwt"],
    ...["client-authentication+jwt", "kb+jwt", "vc+jwt", "vp+jwt", "vc+sd-jwt", "dc+sd-jwt"],
  ])("is invalid with the typ %j, which is another use's (RFC 8725 §3.11)", async (typ) => {
    const { verify, hs256 } = harness();
    const token = await hs256({}, undefined, { typ });
    expect(await verify(token)).toEqual({ kind: "invalid", reason: "type" });
  });

  it("is invalid with the events of a security event, whatever its typ (RFC 8417 §2.2)", async () => {
    const { verify, hs256 } = harness();
    const logout = { "http://schemas.openid.net/event/backchannel-logout": {} };
    for (const events of [logout, {}])
      expect(await verify(await hs256({ events }))).toEqual({ kind: "invalid", reason: "type" });
    for (const events of [undefined, null, "all", 7])
      expect(await verify(await hs256({ events }))).toMatchObject({ kind: "verified" });
  });

  it.each<[what: string, over: (now: number) => object]>([
    ["an exp with a fraction", (now) => ({ exp: now + 0.25 })],
    ["an exp of 29 s ago: clocks differ", (now) => ({ exp: now - 29 })],
    ["an exp in milliseconds, which is far away", (now) => ({ exp: now * 1000 })],
    ["an nbf 29 s ahead", (now) => ({ nbf: now + 29 })],
    ["an iat an hour ahead", (now) => ({ iat: now + 3600 })],
    ["the audience in a list", () => ({ aud: ["other", "api"] })],
    ["no audience, and the client in client_id", () => ({ aud: undefined, client_id: "api" })],
    ["no audience, and the client in azp", () => ({ aud: undefined, azp: "api" })],
    ["claims that nobody knows", () => ({ jti: 7, azp: null, __proto__: 1 })],
  ])("is valid with %s", async (_, over) => {
    const { verify, hs256, platform } = harness();
    expect(await verify(await hs256({ ...over(platform.now() / 1000) }))).toEqual(verified);
  });

  it("names the tier by a claim with dots, or by a path", async () => {
    const cases: [tierClaim: string, claims: Record<string, unknown>, tier: string | null][] = [
      ["https://example.com/tier", { "https://example.com/tier": "gold" }, "gold"],
      ["app_metadata.tier", { app_metadata: { tier: "gold" } }, "gold"],
      ["app_metadata.tier", { "app_metadata.tier": "gold", app_metadata: { tier: "tin" } }, "gold"],
      ["https://example.com/claims.tier", { "https://example.com/claims": { tier: "gold" } }, "gold"],
      ["a.b.c", { a: { "b.c": "gold" } }, "gold"],
      ["app_metadata.tier", { app_metadata: { tier: ["gold"] } }, null],
      ["app_metadata.tier", { app_metadata: "gold" }, null],
      ["constructor.name", {}, null],
      ["plan", { plan: "" }, null],
    ];
    for (const [tierClaim, claims, tier] of cases) {
      const { verify, hs256 } = harness({ jwt: { tierClaim } });
      expect(await verify(await hs256(claims)), tierClaim).toEqual({ ...verified, tier });
    }
  });

  it("of HS256 and of the key set name issuers and audiences of their own", async () => {
    const jwt = {
      forKeySet: { issuer: "https://id.example", audiences: ["api", "admin"] },
      forSecrets: { issuer: null, audiences: [] },
    };
    const { verify, hs256, signed } = harness({ jwt });
    const bare = { iss: undefined, aud: undefined };
    expect(await verify(await hs256(bare))).toEqual(verified);
    expect(await verify(await hs256({ iss: "https://anybody.example", aud: "any" }))).toEqual(verified);
    expect(await verify(await signed(signers.RS256, { aud: "admin" }))).toEqual(verified);
    expect(await verify(await signed(signers.RS256, { ...bare }))).toEqual({
      kind: "invalid",
      reason: "issuer",
    });
    expect(await verify(await signed(signers.RS256, { aud: "any" }))).toEqual({
      kind: "invalid",
      reason: "audience",
    });
  });

  it("is invalid with alg none, an unknown alg, or a public key used as a secret", async () => {
    const { verify, hs256, signed } = harness();
    const [, payload] = (await hs256()).split(".");
    const header = (alg: string) => btoa(JSON.stringify({ alg })).replaceAll("=", "");
    expect(await verify(`${header("none")}.${payload}.`)).toMatchObject(invalid);
    expect(await verify(`${header("HS512")}.${payload}.AAAA`)).toMatchObject(invalid);
    const confused = new SignJWT({ sub: "user_1", exp: 9_999_999_999 })
      .setProtectedHeader({ alg: "HS256", kid: "r" })
      .sign(bytes(JSON.stringify(signers.RS256.jwk)));
    expect(await verify(await confused)).toMatchObject(invalid);
    const relabelled = (await signed(signers.ES256)).split(".");
    relabelled[0] = btoa(JSON.stringify({ alg: "RS256", kid: "e" })).replaceAll("=", "");
    expect(await verify(relabelled.join("."))).toMatchObject(invalid);
  });

  it.each(["", ".", "..", "a.b.c", "%%%.x.y", `${btoa("null")}.x.y`])("is invalid: %j", async (text) => {
    expect(await harness().verify(text)).toMatchObject(invalid);
  });
});

describe("the key set", () => {
  it("makes a token unknown, not invalid, until its address answers; it is fetched again after a second", async () => {
    const { verify, signed, wire, platform } = harness();
    wire.answer = () => new Response("down", { status: 503 });
    const token = await signed(signers.ES256);
    expect(await verify(token)).toEqual({ kind: "unknown" });
    expect(await verify(token)).toEqual({ kind: "unknown" });
    expect(wire.asked).toBe(1);
    platform.advance(1001);
    expect(await verify(token)).toEqual({ kind: "unknown" });
    expect(wire.asked).toBe(2);
  });

  it("is used for ten minutes, and longer while its address fails", async () => {
    const { verify, signed, wire, platform } = harness();
    const token = await signed(signers.ES256, { exp: 9_999_999_999 });
    await verify(token);
    platform.advance(10 * MINUTE);
    await verify(token);
    expect(wire.asked).toBe(1);
    wire.answer = () => new Response("<html>");
    platform.advance(1);
    expect(await verify(token)).toEqual(verified);
    expect(wire.asked).toBe(2);
    platform.advance(30_000);
    expect(await verify(token)).toEqual(verified);
    expect(wire.asked, "not with every request").toBe(2);
  });

  it("is fetched for an unknown key at most once a minute", async () => {
    let keys = [signers.RS256];
    const { verify, signed, wire, platform } = harness({ keySet: () => keys });
    const token = await signed(signers.next, { exp: 9_999_999_999 });
    expect(await verify(token)).toMatchObject(invalid);
    for (let i = 0; i < 50; i += 1) await verify(token);
    expect(wire.asked).toBe(1);
    keys = [signers.RS256, signers.next];
    platform.advance(MINUTE + 1);
    expect(await verify(token), "a rotated key is found").toEqual(verified);
    expect(wire.asked).toBe(2);
  });

  it("makes a token of an unknown key unknown, not invalid, when the fetch fails", async () => {
    const { verify, signed, wire, platform } = harness();
    await verify(await signed(signers.ES256));
    platform.advance(MINUTE + 1);
    wire.answer = () => new Response("down", { status: 503 });
    const token = await signed(signers.next, { exp: 9_999_999_999 });
    expect(await verify(token), "nobody has said that there is no such key").toEqual({ kind: "unknown" });
    expect(await verify(await signed(signers.ES256)), "a known one is good").toEqual(verified);
  });

  it.each<[string, () => Response]>([
    ["a key that is null", () => Response.json({ keys: [null] })],
    ["a key that is a list", () => Response.json({ keys: [[]] })],
    ["no list of keys", () => Response.json({ keys: {} })],
    ["more than a hundred keys", () => Response.json({ keys: Array(101).fill(signers.ES256.jwk) })],
    ["more than 256 KiB", () => Response.json({ keys: [], more: "x".repeat(256 * 1024) })],
  ])("is not replaced by one with %s", async (_, answer) => {
    const { verify, signed, wire, platform } = harness();
    const token = await signed(signers.ES256, { exp: 9_999_999_999 });
    expect(await verify(token)).toEqual(verified);
    wire.answer = answer;
    platform.advance(10 * MINUTE + 1);
    expect(await verify(token)).toEqual(verified);
    expect(wire.asked).toBe(2);
  });

  it("with an unusable key makes its tokens invalid, and does not throw", async () => {
    const { verify, signed, wire } = harness();
    const broken = { kty: "EC", crv: "P-256", x: "AA", y: "AA", kid: "e", alg: "ES256" };
    wire.answer = () => Response.json({ keys: [broken, signers.RS256.jwk] });
    expect(await verify(await signed(signers.ES256))).toMatchObject(invalid);
    expect(await verify(await signed(signers.RS256))).toEqual(verified);
  });

  it("is fetched also after the clock was set back by an hour", async () => {
    const { verify, signed, wire, platform } = harness();
    wire.answer = () => new Response("down", { status: 503 });
    const token = await signed(signers.ES256, { exp: 9_999_999_999 });
    expect(await verify(token)).toEqual({ kind: "unknown" });
    platform.advance(-60 * MINUTE);
    wire.answer = () => Response.json({ keys: [signers.ES256.jwk] });
    expect(await verify(token)).toEqual(verified);
  });

  describe("while another request is fetching it,", () => {
    /** A fetch that is in flight until the test resolves it. */
    async function fetching() {
      const world = harness();
      const { wire, platform, verify, signed } = world;
      const answer = wire.answer;
      let land = () => {};
      wire.hold = new Promise<void>((resolve) => {
        land = resolve;
      });
      const token = await signed(signers.ES256, { exp: 9_999_999_999 });
      const leader = verify(token);
      const followers = Array.from({ length: 5 }, () => verify(token));
      /** Advances the time, and runs what waits for it. */
      const pass = async (ms: number) => {
        for (let passed = 0; passed < ms; passed += 25) {
          platform.advance(25);
          for (let i = 0; i < 50; i += 1) await undefined;
        }
      };
      return { ...world, answer, token, leader, followers, land: () => land(), pass };
    }

    it("is waited for, and no token is unknown", async () => {
      const { leader, followers, land, pass, wire } = await fetching();
      await pass(500);
      land();
      expect(await leader).toEqual(verified);
      await pass(25);
      expect(await Promise.all(followers)).toEqual(Array(5).fill(verified));
      expect(wire.asked).toBe(1);
    });

    it("is waited for no longer than its deadline, and then one waiting request fetches it", async () => {
      const { followers, pass, wire } = await fetching();
      wire.hold = null;
      await pass(2000);
      expect(await Promise.all(followers)).toContainEqual(verified);
      expect(wire.asked).toBe(2);
    });
  });
});
