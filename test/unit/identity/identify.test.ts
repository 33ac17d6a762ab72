import { SignJWT } from "jose";
import { describe, expect, it, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { createEvents } from "../../../src/events/events.ts";
import { createIdentifier } from "../../../src/identity/caller-hash.ts";
import { createIdentify } from "../../../src/identity/identify.ts";
import { signToken } from "../../../src/identity/session-token.ts";
import { createSessionUsers } from "../../../src/identity/session-users.ts";
import { createListLookup } from "../../../src/ratelimit/lists.ts";
import { testPlatform } from "../../support/platform.ts";
import { claims, NOW } from "../../support/session-samples.ts";

const SESSION_SECRET = "session-secret-of-this-test-only-0123";
const JWT_SECRET = "jwt-secret-of-this-test-only-01234567";
const ENV = {
  SESSION_SECRET,
  JWT_SECRET,
  JWT_COOKIE: "jwt",
  API_KEYS: "a-key-of-the-configuration:tester:gold,three.dots-in.a-key-of-ours:dotted",
  ORIGIN_URL: "https://origin.example",
};

function open(vars: Record<string, string> = {}, known: Record<string, { userId: string; tier: null }> = {}) {
  const platform = testPlatform({ now: NOW });
  const config = loadConfig({ ...ENV, ...vars }, []);
  const identifier = {
    ...createIdentifier(config, platform),
    sessionUser: createSessionUsers(config.session.secrets, platform),
  };
  const identify = createIdentify({
    config,
    identifier,
    platform,
    verifiedKeys: { get: (hash) => known[hash] },
    events: createEvents({ platform, write: () => {} }),
  });
  const ask = (headers: Record<string, string>, route?: RouteInput, query = "") => {
    const url = new URL(`https://edge.example/x${query}`);
    const compiled = route && loadConfig({}, [route]).routes[0];
    return identify(new Request(url, { headers }), url, compiled);
  };
  return { ask, identifier, platform, lists: createListLookup(config.lists) };
}

const jwt = (sub = "ada") =>
  new SignJWT({ sub, exp: NOW / 1000 + 60 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(JWT_SECRET));

describe("what the credentials of a request claim", () => {
  it("without any: an address", async () => {
    const { ask } = open();
    const found = await ask({ "cf-connecting-ip": "2001:db8:0:1:2:3:4:5" });
    expect(found).toMatchObject({
      address: "2001:db8:0:1::/64",
      addressIdentity: { kind: "address", hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string },
      session: { kind: "absent" },
      key: { kind: "absent" },
      jwt: { kind: "absent" },
    });
  });

  test.each<[what: string, key: string, claim: object]>([
    [
      "of API_KEYS",
      "a-key-of-the-configuration",
      { kind: "verified", name: "tester", tier: "gold", userId: null },
    ],
    [
      "of API_KEYS that looks like a JWT",
      "three.dots-in.a-key-of-ours",
      { kind: "verified", name: "dotted", tier: null },
    ],
    ["that begins like one", "a-key-of-the-configuratio", { kind: "unverified" }],
    ["in another case", "A-key-of-the-configuration", { kind: "unverified" }],
    ["named like a property", "__proto__", { kind: "unverified" }],
  ])("a key %s", async (_, key, claim) => {
    const { ask } = open();
    for (const headers of [{ "x-api-key": key }, { authorization: `Bearer ${key}` }])
      expect((await ask(headers as Record<string, string>)).key).toMatchObject(claim);
    expect((await ask({}, undefined, `?api_key=${key}`)).key).toMatchObject(claim);
  });

  it("a key that the origin has verified, by its hash and without a name", async () => {
    const hash = await open().identifier.hash("secret key", "a-key-of-the-origin");
    const { ask } = open({ IDENTITY_SECRET: "identity-secret-of-this-test" });
    const own = await createHash("a-key-of-the-origin");
    const world = open(
      { IDENTITY_SECRET: "identity-secret-of-this-test" },
      { [own]: { userId: "acme", tier: null } },
    );
    expect((await world.ask({ "x-api-key": "a-key-of-the-origin" })).key).toEqual({
      kind: "verified",
      hash: own,
      name: null,
      userId: "acme",
      tier: null,
    });
    expect((await ask({ "x-api-key": "a-key-of-the-origin" })).key).toEqual({
      kind: "unverified",
      hash: own,
    });
    expect(hash, "under another secret it has another hash").not.toBe(own);
  });

  it("a session, by its signature; of several cookies each good one", async () => {
    const { ask } = open();
    const token = await signToken(claims(), SESSION_SECRET);
    const other = await signToken(claims({ userId: "bob" }), SESSION_SECRET);
    const forged = await signToken(claims(), "another-secret-of-this-test-0123456789");
    expect((await ask({ authorization: `Bearer ${token}` })).session).toMatchObject({
      kind: "signed",
      tokenSource: "bearer",
    });
    const cookies = [forged, token, other].map((each) => `__Host-session=${each}`).join("; ");
    expect((await ask({ cookie: cookies })).session).toMatchObject({
      kind: "signed",
      claims: { userId: claims().userId },
      others: [{ userId: "bob" }],
      tokenSource: "cookie",
    });
    expect((await ask({ cookie: `__Host-session=${forged}` })).session).toEqual({
      kind: "invalid",
      tokenSource: "cookie",
    });
  });

  it("a session, with claims of its own for each request: what one learns of it, no other is told", async () => {
    const { ask } = open();
    const headers = { authorization: `Bearer ${await signToken(claims(), SESSION_SECRET)}` };
    const [first, second] = [(await ask(headers)).session, (await ask(headers)).session];
    if (first.kind !== "signed" || second.kind !== "signed") throw new Error("its signature is good");
    expect(second.claims).toEqual(first.claims);
    expect(second.claims).not.toBe(first.claims);
  });

  it("a session that was verified once is over at its end all the same", async () => {
    const { ask, platform } = open();
    const token = await signToken(claims({ expiresAt: NOW + 1000 }), SESSION_SECRET);
    const headers = { authorization: `Bearer ${token}` };
    expect((await ask(headers)).session.kind).toBe("signed");
    platform.advance(1000);
    expect((await ask(headers)).session.kind).toBe("invalid");
  });

  it("a JWT, as a bearer or in JWT_COOKIE, beside a session or a key", async () => {
    const { ask } = open();
    const verified = { kind: "verified", userId: "ada", tier: null, claims: '{"sub":"ada"}' };
    expect((await ask({ authorization: `Bearer ${await jwt()}` })).jwt).toEqual(verified);
    expect((await ask({ cookie: `a=1; jwt=${await jwt()}` })).jwt).toEqual(verified);
    const both = await ask({ cookie: `jwt=${await jwt()}`, "x-api-key": "a-key-of-the-configuration" });
    expect([both.jwt.kind, both.key.kind]).toEqual(["verified", "verified"]);
    expect((await ask({ authorization: "Bearer a.b.c" })).jwt).toEqual({
      kind: "invalid",
      reason: "malformed",
    });
  });
});

describe("a JWT in the cookie beside one in the bearer", () => {
  it.each<
    [what: string, bearer: () => Promise<string>, cookie: () => Promise<string>, mayAct: true | undefined]
  >([
    ["a good one", () => jwt("eve"), () => jwt(), true],
    ["a good one beside a made-up one", async () => "a.b.c", () => jwt(), true],
    ["a good one behind another", async () => "a.b.c", async () => `x.y.z; jwt=${await jwt()}`, true],
    ["a forged one", () => jwt("eve"), async () => `${(await jwt()).slice(0, -5)}AAAAA`, undefined],
    ["none", () => jwt("eve"), async () => "no-jwt", undefined],
  ])("is known to be there: %s", async (_, bearer, cookie, mayAct) => {
    const headers = { authorization: `Bearer ${await bearer()}`, cookie: `jwt=${await cookie()}` };
    expect((await open().ask(headers)).cookieJwt).toBe(mayAct);
  });
});

describe("where a key is denied, what an origin may take for the API key", () => {
  const junk = Array.from({ length: 50 }, (_, n) => `API_KEY=${n}`).join("&");
  it.each<[what: string, headers: Record<string, string>, query: string, found: boolean]>([
    ["another spelling of the field", { X_API_Key: "evil" }, "", true],
    ["another sign in it", { "X-API.Key": " evil " }, "", true],
    ["another spelling beside the field", { "x-api-key": "good", x_api_key: "evil" }, "", true],
    ["another spelling of the parameter", {}, "?API_KEY=evil", true],
    ["PHP's spelling", {}, "?api.key=evil", true],
    ["an escaped one", {}, "?%41pi-key=evil", true],
    ["the parameter behind a semicolon", {}, "?a=1;api_key=evil", true],
    ["the first of many parameters", {}, `?API_KEY=evil&${junk}`, true],
    ["the last of many parameters", {}, `?${junk}&API_KEY=evil`, true],
    ["a bearer with a further word", { authorization: "Bearer evil x" }, "", true],
    ["the last word of a bearer", { authorization: "Bearer x evil" }, "", true],
    ["the word behind another scheme", { authorization: "Token evil" }, "", true],
    ["a word without a scheme", { authorization: "evil" }, "", true],
    ["a bearer beside another", { authorization: "Bearer evil, Bearer x" }, "", true],
    ["a bearer, which the edge reads", { authorization: "Bearer evil" }, "", false],
    ["the field, which the edge reads", { "x-api-key": "evil" }, "", false],
    ["a scheme of that name", { authorization: "evil x y" }, "", false],
    ["another field", { "x-tenant": "evil" }, "?key=evil", false],
  ])("is compared too: %s", async (what, headers, query, found) => {
    const secret = { IDENTITY_SECRET: "identity-secret-of-this-test" };
    const hash = await createHash("evil");
    const { otherKeys, key } = await open({ ...secret, DENY_LIST: `key:${hash}` }).ask(
      headers,
      undefined,
      query,
    );
    expect(otherKeys?.includes(hash) ?? false).toBe(found);
    const isRead = key.kind !== "absent" && key.hash === hash;
    expect(isRead, "read as the key").toBe(/the edge reads/.test(what));
    const without = await open(secret).ask(headers, undefined, query);
    expect(without.otherKeys, "nothing is hashed where no key is denied").toBeUndefined();
  });

  it("a key of API_KEYS is known by its name's hash", async () => {
    const { identifier } = open();
    const hash = await identifier.hash("key", "tester");
    const { otherKeys } = await open({ DENY_LIST: `key:${hash}` }).ask({
      x_api_key: "a-key-of-the-configuration",
    });
    expect(otherKeys).toEqual([hash]);
  });
});

async function createHash(key: string): Promise<string> {
  return open({ IDENTITY_SECRET: "identity-secret-of-this-test" }).identifier.hash("secret key", key);
}

describe("keys and JWTs are read where something depends on them", () => {
  const limits = [{ name: "all", limit: 5, window: "1 m" } as const];
  type Row = [what: string, route: RouteInput, vars: Record<string, string>, read: boolean];
  test.each<Row>([
    ["a public route", { path: "/x" }, {}, false],
    ["an identified one", { path: "/x", access: "identified" }, {}, true],
    ["one for keys", { path: "/x", access: ["key"] }, {}, true],
    ["one with limits", { path: "/x", limits }, {}, true],
    ["one with limits of a tier", { path: "/x", tiers: { gold: limits } }, {}, true],
    ["a cached one", { path: "/x", cache: {} }, {}, true],
    ["one that verifies keys", { path: "/x", verifiesKeys: true }, {}, true],
    ["one that starts sessions", { path: "/x", session: "start" }, {}, true],
    ["an origin that is told the user", { path: "/x" }, { ORIGIN_TOKEN: "origin-token-of-this-test" }, true],
    ["a deny list of users", { path: "/x" }, { DENY_LIST: "user:ada" }, true],
    ["a deny list of addresses", { path: "/x" }, { DENY_LIST: "192.0.2.0/24" }, false],
  ])("%s: read", async (_, route, vars, read) => {
    const { ask } = open(vars);
    const twoKeys = { authorization: "Bearer one", "x-api-key": "two" };
    const refused = await ask(twoKeys, route).then(
      () => null,
      (error: { code: string }) => error.code,
    );
    expect(refused).toBe(read ? "AMBIGUOUS_CREDENTIALS" : null);
    const found = await ask({ authorization: `Bearer ${await jwt()}` }, route);
    expect(found.jwt.kind).toBe(read ? "verified" : "absent");
    expect(found.credentials.any).toBe(true);
    expect(found.credentials.unread ?? false).toBe(!read);
  });

  it("and always for handlers, which have no route", async () => {
    expect((await open().ask({ authorization: `Bearer ${await jwt()}` })).jwt.kind).toBe("verified");
  });
});

describe("a denied key is known by the hash that it had when it was denied", () => {
  const [older, old, latest] = ["one", "two", "three"].map((name) => `identity-secret-${name}-of-this-test`);
  const store = {
    UPSTASH_REDIS_REST_URL: "https://store.example",
    UPSTASH_REDIS_REST_TOKEN: "token-of-this-test",
  };
  const KEYS: [sent: string, kind: string, value: string][] = [
    ["a-key-of-the-configuration", "key", "tester"],
    ["a-key-that-nobody-knows-0123", "secret key", "a-key-that-nobody-knows-0123"],
  ];

  test.each<[what: string, then: Record<string, string>, now: Record<string, string>, denied: boolean]>([
    ["nothing has changed", { IDENTITY_SECRET: `${old}` }, { IDENTITY_SECRET: `${old}` }, true],
    ["nothing has changed, without a secret", store, store, true],
    ["a new one in front", { IDENTITY_SECRET: `${old}` }, { IDENTITY_SECRET: `${latest},${old}` }, true],
    ["two in front", { IDENTITY_SECRET: `${older}` }, { IDENTITY_SECRET: `${latest},${old},${older}` }, true],
    ["the first since", store, { ...store, IDENTITY_SECRET: `${latest}` }, true],
    ["the old one gone", { IDENTITY_SECRET: `${old}` }, { IDENTITY_SECRET: `${latest}` }, false],
    ["another token", store, { ...store, UPSTASH_REDIS_REST_TOKEN: "another-token" }, false],
  ])("%s", async (_, then, now, denied) => {
    for (const [sent, kind, value] of KEYS) {
      const hash = await open(then).identifier.hash(kind, value);
      const { ask, lists } = open({ ...now, DENY_LIST: `key:${hash}` });
      const ways: [headers: Record<string, string>, query?: string][] = [
        [{ "x-api-key": sent }],
        [{ authorization: `Bearer ${sent}` }],
        [{ x_api_key: sent }],
        [{}, `?api_key=${sent}`],
      ];
      for (const [headers, query] of ways)
        expect(lists.denies(await ask(headers, undefined, query)), JSON.stringify([headers, query])).toBe(
          denied,
        );
      expect(lists.denies(await ask({ "x-api-key": "another-key-0123456789" }))).toBe(false);
    }
  });
});
