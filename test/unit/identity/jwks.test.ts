import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { createKeySet } from "../../../src/identity/jwks.ts";
import { createJwtVerifier } from "../../../src/identity/jwt.ts";
import { testPlatform } from "../../support/platform.ts";

const MINUTE = 60_000;
const ANY = { issuer: null, audiences: [] };

interface Pair {
  privateKey: CryptoKey;
  jwk: JWK;
}
/** Pairs for the algorithms that issuers choose beside RS256, ES256 and EdDSA (RFC 7518 §3.1). */
const FURTHER = ["RS384", "RS512", "PS256", "PS384", "PS512", "ES384", "ES512"] as const;
let pairs: Record<"r1" | "r2" | "r3" | "e1" | "d1" | (typeof FURTHER)[number], Pair>;
beforeAll(async () => {
  const pair = async (alg: string): Promise<Pair> => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    return { privateKey, jwk: await exportJWK(publicKey) };
  };
  const [r1, r2, r3, e1, d1] = await Promise.all([
    pair("RS256"),
    pair("RS256"),
    pair("RS256"),
    pair("ES256"),
    pair("EdDSA"),
  ]);
  const further = await Promise.all(FURTHER.map(async (alg) => [alg, await pair(alg)]));
  pairs = { r1, r2, r3, e1, d1, ...Object.fromEntries(further) };
});

/** A verifier, the set that the issuer publishes, and how often it was asked. */
function harness() {
  const wire = { asked: 0, keys: [] as unknown[], down: false };
  const events: string[] = [];
  const platform = testPlatform({
    fetch: async () => {
      wire.asked += 1;
      return wire.down ? new Response("down", { status: 503 }) : Response.json({ keys: wire.keys });
    },
  });
  const verify = createJwtVerifier({
    platform,
    events: createEvents({ platform, write: (_, line) => void events.push(line) }),
    jwt: {
      secrets: [],
      jwksUrl: "https://id.example/jwks",
      forKeySet: ANY,
      forSecrets: ANY,
      tierClaim: null,
      cookie: null,
    },
  });
  const sign = ({ privateKey }: Pair, alg: string, header: object = {}) =>
    new SignJWT({ sub: "ada", exp: 9_999_999_999 }).setProtectedHeader({ alg, ...header }).sign(privateKey);
  const kindOf = async (token: Promise<string>) => {
    const claim = await verify(await token);
    return claim.kind === "invalid" ? claim.reason : claim.kind;
  };
  return { wire, platform, sign, kindOf, events };
}

const jwk = (name: keyof typeof pairs, more: object = {}) => ({ ...pairs[name].jwk, ...more });

describe("the keys of a set that may have signed a token (RFC 7515 §4.1.4, RFC 7517 §4)", () => {
  type Row = [
    what: string,
    keys: () => unknown[],
    token: [signer: keyof typeof pairs, alg: string, header?: object],
    kind: string,
  ];
  it.each<Row>([
    ["no kid, one key", () => [jwk("r1")], ["r1", "RS256"], "verified"],
    [
      "no kid, the second of two",
      () => [jwk("r1", { kid: "1" }), jwk("r2", { kid: "2" })],
      ["r2", "RS256"],
      "verified",
    ],
    ["no kid, a stranger's", () => [jwk("r1", { kid: "1" }), jwk("r2")], ["r3", "RS256"], "signature"],
    [
      "a kid twice, of two kinds",
      () => [jwk("r1", { kid: "k" }), jwk("e1", { kid: "k" })],
      ["e1", "ES256", { kid: "k" }],
      "verified",
    ],
    [
      "a kid twice, of one kind",
      () => [jwk("r1", { kid: "k" }), jwk("r2", { kid: "k" })],
      ["r2", "RS256", { kid: "k" }],
      "verified",
    ],
    [
      "the same key twice",
      () => [jwk("r1", { kid: "k" }), jwk("r1", { kid: "k" })],
      ["r1", "RS256", { kid: "k" }],
      "verified",
    ],
    ["a kid, and a key without any", () => [jwk("r1")], ["r1", "RS256", { kid: "k" }], "verified"],
    [
      "another's kid",
      () => [jwk("r1", { kid: "1" }), jwk("r2", { kid: "2" })],
      ["r1", "RS256", { kid: "2" }],
      "signature",
    ],
    ["an unknown kid", () => [jwk("r1", { kid: "1" })], ["r1", "RS256", { kid: "9" }], "signature"],
    ["a kid that is an empty text", () => [jwk("r1", { kid: "" })], ["r1", "RS256", { kid: "" }], "verified"],
    ["a key for encryption", () => [jwk("r1", { use: "enc" })], ["r1", "RS256"], "signature"],
    [
      "a key for signatures",
      () => [jwk("r1", { use: "sig", key_ops: ["verify"] })],
      ["r1", "RS256"],
      "verified",
    ],
    ["a key that may only sign", () => [jwk("r1", { key_ops: ["sign"] })], ["r1", "RS256"], "signature"],
    ["a key of another algorithm", () => [jwk("r1", { alg: "PS256" })], ["r1", "RS256"], "signature"],
    ["Ed25519 by its old name", () => [jwk("d1", { alg: "Ed25519" })], ["d1", "EdDSA"], "verified"],
    [
      "Ed25519 by its own name (RFC 9864)",
      () => [jwk("d1", { alg: "EdDSA" })],
      ["d1", "Ed25519"],
      "verified",
    ],
    [
      "unknown kinds beside it",
      () => [{ kty: "AKP", alg: "ML-DSA-44", pub: "AA" }, { kty: 7 }, {}, jwk("r1")],
      ["r1", "RS256"],
      "verified",
    ],
    [
      "what is no key beside it",
      () => [null, "", 7, true, [], [jwk("r2")], jwk("r1")],
      ["r1", "RS256"],
      "verified",
    ],
    [
      "a broken key beside it",
      () => [{ kty: "RSA", n: "AA", e: "AA" }, jwk("r1")],
      ["r1", "RS256"],
      "verified",
    ],
    [
      "a certificate chain nobody reads",
      () => [jwk("r1", { x5c: ["nonsense"], x5u: "http://evil.example" })],
      ["r1", "RS256"],
      "verified",
    ],
    [
      "a symmetric key in the set",
      () => [{ kty: "oct", k: "c2VjcmV0", alg: "RS256" }],
      ["r1", "RS256"],
      "signature",
    ],
    ["an empty set", () => [], ["r1", "RS256"], "signature"],
  ])("%s: %4$s", async (_, keys, [signer, alg, header], kind) => {
    const { wire, sign, kindOf } = harness();
    wire.keys = keys();
    expect(await kindOf(sign(pairs[signer], alg, header))).toBe(kind);
  });

  it("is never the set's public key as a secret, nor what the token itself brings along", async () => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [
      jwk("r1", { kid: "1" }),
      { kty: "oct", kid: "1", k: "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA" },
    ];
    const claims = () => new SignJWT({ sub: "ada", exp: 9_999_999_999 });
    for (const secret of [
      JSON.stringify(pairs.r1.jwk),
      pairs.r1.jwk.n ?? "",
      "secret-secret-secret-secret-secret",
    ]) {
      const forged = claims()
        .setProtectedHeader({ alg: "HS256", kid: "1" })
        .sign(new TextEncoder().encode(secret));
      expect(await kindOf(forged)).toBe("algorithm");
    }
    for (const header of [
      { jwk: pairs.r3.jwk },
      { jku: "https://evil.example/jwks" },
      { x5u: "https://evil.example" },
    ])
      expect(await kindOf(sign(pairs.r3, "RS256", header))).toBe("signature");
    expect(wire.asked, "no other address is asked").toBe(1);
  });

  it("is none where the header names a critical extension (RFC 7515 §4.1.11)", async () => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [jwk("e1")];
    const [, payload] = (await sign(pairs.e1, "ES256")).split(".");
    for (const more of [{ crit: ["x"], x: 1 }, { crit: [] }, { crit: ["b64"], b64: false }]) {
      const signed = `${btoa(JSON.stringify({ alg: "ES256", ...more })).replaceAll("=", "")}.${payload}`;
      const algorithm = { name: "ECDSA", hash: "SHA-256" };
      const mac = await crypto.subtle.sign(algorithm, pairs.e1.privateKey, new TextEncoder().encode(signed));
      const signature = btoa(String.fromCharCode(...new Uint8Array(mac)));
      const token = `${signed}.${signature.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
      expect(await kindOf(Promise.resolve(token)), JSON.stringify(more)).toBe("malformed");
    }
  });
});

describe("a key that is newer than the set", () => {
  it.each<[what: string, before: object, after: object, header: object]>([
    ["without kid", {}, {}, {}],
    ["with a new kid", { kid: "1" }, { kid: "2" }, { kid: "2" }],
    ["with the kid of the one before", { kid: "1" }, { kid: "1" }, { kid: "1" }],
  ])("%s is found a minute after the last fetch", async (_, before, after, header) => {
    const { wire, platform, sign, kindOf } = harness();
    wire.keys = [jwk("r1", before)];
    expect(await kindOf(sign(pairs.r1, "RS256", header))).not.toBe("unknown");
    wire.keys = [jwk("r2", after)];
    platform.advance(MINUTE + 1);
    expect(await kindOf(sign(pairs.r2, "RS256", header))).toBe("verified");
    expect(await kindOf(sign(pairs.r1, "RS256", header)), "the old one is over").toBe("signature");
    expect(wire.asked).toBe(2);
  });

  it("costs a fetch a minute at most, however many tokens strangers make up", async () => {
    const { wire, platform, sign, kindOf } = harness();
    wire.keys = [jwk("r1", { kid: "1" })];
    for (let i = 0; i < 120; i += 1) {
      await kindOf(sign(pairs.e1, "ES256", i % 2 ? {} : { kid: `made-up-${i}` }));
      platform.advance(1000);
    }
    expect(wire.asked).toBeLessThanOrEqual(3);
  });

  it("may be what a token names that no key has signed, while the address fails: unknown, not invalid", async () => {
    const { wire, platform, sign, kindOf, events } = harness();
    wire.keys = [jwk("r1", { kid: "1" })];
    expect(await kindOf(sign(pairs.r1, "RS256", { kid: "1" }))).toBe("verified");
    wire.down = true;
    platform.advance(MINUTE + 1);
    expect(await kindOf(sign(pairs.r2, "RS256"))).toBe("unknown");
    expect(await kindOf(sign(pairs.r2, "RS256", { kid: "2" }))).toBe("unknown");
    expect(await kindOf(sign(pairs.r2, "RS256", { kid: "1" })), "it names a key of the set").toBe(
      "signature",
    );
    expect(await kindOf(sign(pairs.r1, "RS256", { kid: "1" }))).toBe("verified");
    expect(events.join()).toContain("jwks.failed");
  });
});

describe("the algorithm of a key (RFC 7518 §3.1, RFC 8725 §3.1)", () => {
  it.each(FURTHER)("%s, which the key names", async (alg) => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [jwk("r1"), jwk("e1"), jwk(alg, { alg })];
    expect(await kindOf(sign(pairs[alg], alg))).toBe("verified");
  });

  it.each(["ES384", "ES512"] as const)("%s, which the key's curve says", async (alg) => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [jwk("e1"), jwk(alg)];
    expect(await kindOf(sign(pairs[alg], alg))).toBe("verified");
  });

  it.each(FURTHER)("is one: a key of another is none for %s", async (alg) => {
    const { wire, sign, kindOf } = harness();
    const others = ["RS256", ...FURTHER].filter((other) => other !== alg);
    wire.keys = others.map((other) => jwk(alg, { alg: other }));
    expect(await kindOf(sign(pairs[alg], alg))).toBe("signature");
  });

  it("is RS256 where an RSA key names none, whatever was asked of it first", async () => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [jwk("PS256")];
    const asPss = pairs.PS256;
    expect(await kindOf(sign(asPss, "PS256"))).toBe("signature");
    const pkcs8 = await crypto.subtle.exportKey("pkcs8", asPss.privateKey);
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]);
    expect(await kindOf(sign({ ...asPss, privateKey }, "RS256"))).toBe("verified");
  });

  it.each(["none", "HS384", "RS1", "ES256K", "RSA-OAEP", "toString"])("%s is none", async (alg) => {
    const { wire, sign, kindOf } = harness();
    wire.keys = [jwk("r1"), { kty: "oct", k: "AAAA", alg }];
    const [, payload, signature] = (await sign(pairs.r1, "RS256")).split(".");
    const header = btoa(JSON.stringify({ alg })).replaceAll("=", "");
    expect(await kindOf(Promise.resolve(`${header}.${payload}.${signature}`))).toBe("algorithm");
  });
});

async function judge(keys: unknown[], header: object = {}): Promise<string> {
  const { wire, sign, kindOf } = harness();
  wire.keys = keys;
  return kindOf(sign(pairs.r1, "RS256", header));
}

/** What serializers write of a member that has no value. */
const NOTHING = [null, "", []];

describe("a member of a key that says nothing", () => {
  const members = ["use", "key_ops", "alg", "kid", "crv", "x", "y", "d", "p", "oth", "x5c", "ext"];
  it.each([
    ...members.flatMap((name) => NOTHING.map((value) => [{ [name]: value }])),
    ...NOTHING.map((value) => [Object.fromEntries(members.map((name) => [name, value]))]),
  ])("%j is as if it were not there", async (said) => {
    expect(await judge([jwk("r1", said)], { kid: "k" })).toBe("verified");
  });

  it.each([{ use: "enc" }, { key_ops: ["sign"] }, { alg: "PS256" }, { kid: "other" }])(
    "%j says something",
    async (said) => {
      const key = { ...jwk("r1"), x5c: [], d: null, ...said };
      expect(await judge([key], { kid: "k" })).toBe("signature");
    },
  );
});

describe("an address that asks for more of a request", () => {
  const set = () => Response.json({ keys: [] });
  it.each<[what: string, answer: (headers: Headers) => Response]>([
    [
      "406 to who takes no application/jwk-set+json (RFC 7517 §8.5.2)",
      (asked) =>
        asked.get("accept")?.includes("application/jwk-set+json") ? set() : new Response("", { status: 406 }),
    ],
    [
      "406 to who takes no application/json",
      (asked) =>
        /\bapplication\/json\b/.test(asked.get("accept") ?? "") ? set() : new Response("", { status: 406 }),
    ],
    [
      "403 to who does not say what it is (RFC 9110 §10.1.5)",
      (asked) => (asked.get("user-agent") ? set() : new Response("<html>", { status: 403 })),
    ],
  ])("%s", async (_, answer) => {
    const platform = testPlatform({
      fetch: async (_, init) => answer(new Headers(init?.headers)),
    });
    const events = createEvents({ platform, write: () => {} });
    const keySet = createKeySet({ url: "https://id.example/jwks", platform, events });
    expect(await keySet.load()).toEqual({ kind: "keys", keys: [] });
  });
});

describe("an address that answers oddly", () => {
  it.each<[what: string, answer: () => Response | Promise<Response>, loads: boolean]>([
    ["a byte order mark", () => new Response('\ufeff{"keys":[]}'), true],
    [
      "another content type",
      () => new Response('{"keys":[]}', { headers: { "content-type": "text/html" } }),
      true,
    ],
    ["further members", () => Response.json({ keys: [], issuer: "x" }), true],
    ["204", () => new Response(null, { status: 204 }), false],
    ["a body that is an error's", () => Response.json({ keys: [] }, { status: 500 }), false],
    ["a list", () => Response.json([]), false],
    ["null", () => new Response("null"), false],
    ["half a body", () => new Response('{"keys":['), false],
    ["no answer", () => Promise.reject(new TypeError("cut")), false],
  ])("%s: loads %2$s", async (_, answer, loads) => {
    const platform = testPlatform({ fetch: async () => answer() });
    const events = createEvents({ platform, write: () => {} });
    const keySet = createKeySet({ url: "https://id.example/jwks", platform, events });
    expect(await keySet.load()).toEqual(loads ? { kind: "keys", keys: [] } : { kind: "unknown" });
  });
});

it.each<[what: string, answer: () => Promise<Response>, status: number | undefined]>([
  ["403 of a firewall", async () => new Response("<html>", { status: 403 }), 403],
  ["406", async () => new Response("", { status: 406 }), 406],
  ["a discovery document, which is no key set", async () => Response.json({ jwks_uri: "x" }), 200],
  ["no answer", () => Promise.reject(new TypeError("cut")), undefined],
])("an event says why a set is not loaded: %s", async (_, fetch, status) => {
  const platform = testPlatform({ fetch });
  const lines: string[] = [];
  const events = createEvents({ platform, write: (_, line) => void lines.push(line) });
  await createKeySet({ url: "https://id.example/jwks", platform, events }).load();
  const [event] = lines.map((line) => JSON.parse(line));
  expect(event).toMatchObject({ event: "jwks.failed", stale: false });
  expect(event.status).toBe(status);
});
