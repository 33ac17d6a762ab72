import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { beforeAll, expect, test } from "vitest";
import type { RouteInput } from "../../../src/config/route.ts";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

/** Situations that users of other gateways and libraries have reported, with the right value here. */

const MINUTE = 60_000;
const ROUTES: RouteInput[] = [
  { path: "/open", cache: { ttl: 1 } },
  { path: "/identified", access: "identified" },
  { path: "/keys", access: "identified", verifiesKeys: true },
  { path: "/limited", limits: [{ name: "few", limit: 1, window: "1 m", algorithm: "sliding-log" }] },
];
const CONFIGURED = "a-key-of-the-configuration";

let keys: Record<"first" | "second", { privateKey: CryptoKey; jwk: JWK }>;
beforeAll(async () => {
  const pair = async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
    return { privateKey, jwk: await exportJWK(publicKey) };
  };
  keys = { first: await pair(), second: await pair() };
});

function open() {
  const set = { keys: [{ ...keys.first.jwk, kid: "k" }] as JWK[], down: false, asked: 0 };
  const sent: Headers[] = [];
  const platform = testPlatform({
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).pathname === "/jwks") {
        set.asked += 1;
        return set.down ? new Response("<html>", { status: 502 }) : Response.json({ keys: set.keys });
      }
      sent.push(request.headers);
      return new Response("ok");
    },
  });
  const env = {
    ORIGIN_URL: "https://origin.example",
    ORIGIN_TOKEN: "origin-token-of-the-test",
    LOG_LEVEL: "error",
    JWT_JWKS_URL: "https://idp.example/jwks",
    JWT_ISSUER: "https://idp.example",
    JWT_AUDIENCE: "api, admin",
    JWT_COOKIE: "jwt",
    API_KEYS: `${CONFIGURED}:tester`,
  };
  const edge = edgeAnswer(openIsolate(env, ROUTES, platform));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const request = new Request(`https://edge.example${path}`, { headers });
    const response = await edge(request, context);
    const text = await response.text();
    const code = response.ok ? "" : (JSON.parse(text) as { code: string }).code;
    return {
      outcome: `${response.status} ${code}`.trim(),
      challenge: response.headers.get("www-authenticate"),
    };
  };
  const sign = (given: object = {}, { privateKey } = keys.first, kid = "k") =>
    new SignJWT({
      sub: "ada",
      iss: "https://idp.example",
      aud: "api",
      exp: platform.now() / 1000 + 600,
      ...given,
    })
      .setProtectedHeader({ alg: "ES256", kid })
      .sign(privateKey);
  return { ask, sign, set, sent, platform };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
type World = ReturnType<typeof open>;

test.each<[source: string, situation: string, look: (world: World) => Promise<unknown>, right: unknown]>([
  [
    "envoyproxy/envoy#41669, #13705",
    "the key set cannot be fetched",
    async ({ ask, sign, set }) => {
      set.down = true;
      return (await ask("/identified", bearer(await sign()))).outcome;
    },
    "503 IDENTITY_UNAVAILABLE",
  ],
  [
    "kgateway-dev/kgateway#4838",
    "a refresh of the key set fails once",
    async ({ ask, sign, set, platform }) => {
      await ask("/identified", bearer(await sign()));
      set.down = true;
      platform.advance(11 * MINUTE);
      return (await ask("/identified", bearer(await sign()))).outcome;
    },
    "200",
  ],
  [
    "envoyproxy/gateway#4180, istio/istio#10547",
    "the issuer rotates to a key with a new kid",
    async ({ ask, sign, set, platform }) => {
      await ask("/identified", bearer(await sign()));
      set.keys = [{ ...keys.second.jwk, kid: "k2" }];
      platform.advance(MINUTE + 1);
      return (await ask("/identified", bearer(await sign({}, keys.second, "k2")))).outcome;
    },
    "200",
  ],
  [
    "DataZooDE/quack-oauth#15",
    "the issuer rotates and keeps the kid",
    async ({ ask, sign, set, platform }) => {
      await ask("/identified", bearer(await sign()));
      set.keys = [{ ...keys.second.jwk, kid: "k" }];
      platform.advance(MINUTE + 1);
      return (await ask("/identified", bearer(await sign({}, keys.second)))).outcome;
    },
    "200",
  ],
  [
    "oauth2-proxy/oauth2-proxy#1032",
    "a token for the second of two audiences, in a list",
    async ({ ask, sign }) => (await ask("/identified", bearer(await sign({ aud: ["x", "admin"] })))).outcome,
    "200",
  ],
  [
    "PrefectHQ/fastmcp#3739, workos/authkit-nextjs#266, camunda/camunda#44650",
    "an access token of Amazon Cognito, of Clerk: no aud, and the client in client_id or azp",
    async ({ ask, sign }) => {
      const of = async (claims: object) =>
        (await ask("/identified", bearer(await sign({ aud: undefined, ...claims })))).outcome;
      return [
        await of({ client_id: "admin", token_use: "access" }),
        await of({ azp: "admin" }),
        await of({ client_id: "stranger" }),
        await of({}),
      ];
    },
    ["200", "200", "401 TOKEN_INVALID", "401 TOKEN_INVALID"],
  ],
  [
    "GHSA-m732-5p4w-x69g (honojs/hono)",
    "a good token of the same issuer for another service",
    async ({ ask, sign }) => (await ask("/identified", bearer(await sign({ aud: "billing" })))).outcome,
    "401 TOKEN_INVALID",
  ],
  [
    "Kong/kong#3800, honojs/hono#4990",
    "an expired token, a forged one, none: three different answers",
    async ({ ask, sign }) => {
      const expired = await ask("/identified", bearer(await sign({ exp: 1 })));
      const forged = await ask("/identified", { cookie: `jwt=${await sign({}, keys.second)}` });
      const none = await ask("/identified");
      return [expired, forged, none].map(({ challenge }) => challenge);
    },
    [
      'Bearer error="invalid_token", error_description="The token has expired"',
      'Bearer error="invalid_token"',
      "Bearer",
    ],
  ],
  [
    "Kong/kong#11796",
    "two tokens, in the bearer and in the cookie: the bearer counts, good or not",
    async ({ ask, sign, sent }) => {
      const cookie = `jwt=${await sign({ sub: "bob" })}`;
      await ask("/identified", { ...bearer(await sign()), cookie });
      const bad = await ask("/identified", { ...bearer(await sign({ exp: 1 })), cookie });
      return [sent[0]?.get("x-user-id"), bad.outcome];
    },
    ["ada", "401 TOKEN_INVALID"],
  ],
  [
    "wso2/api-manager#666, #3050",
    "a token with two dots and no signature, or with nothing but dots",
    async ({ ask, sign }) => {
      const [header, payload] = (await sign()).split(".");
      const tokens = [`${header}.${payload}.`, `${header}..`, "..", `.${payload}.`];
      const outcomes: string[] = [];
      for (const token of tokens) outcomes.push((await ask("/identified", bearer(token))).outcome);
      return outcomes;
    },
    Array(4).fill("401 TOKEN_INVALID"),
  ],
  [
    "wso2/product-apim#9916",
    "a bearer that is a dot, on a route for everybody",
    async ({ ask }) => (await ask("/open", bearer("."))).outcome,
    "200",
  ],
  [
    "wso2/api-manager#4603, growthbook/growthbook#5692",
    "an opaque key with two dots where the API verifies keys",
    async ({ ask, sent }) => {
      const { outcome } = await ask("/keys", bearer("SG.0123456789.abcdef"));
      return [outcome, sent[0]?.get("authorization")];
    },
    ["200", "Bearer SG.0123456789.abcdef"],
  ],
  [
    "BaseIntelligence/bounty-challenge#19440",
    "one key under schemes in different case, from one address: one bucket",
    async ({ ask }) => {
      const schemes = ["Bearer", "bearer", "BEARER "];
      const outcomes: string[] = [];
      for (const scheme of schemes)
        outcomes.push((await ask("/limited", { authorization: `${scheme} ${CONFIGURED}` })).outcome);
      return outcomes;
    },
    ["200", "429 RATE_LIMIT_EXCEEDED", "429 RATE_LIMIT_EXCEEDED"],
  ],
])("%s: %s", async (_source, _situation, look, right) => {
  expect(await look(open())).toEqual(right);
});
