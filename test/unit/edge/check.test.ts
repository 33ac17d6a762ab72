import { expect, test } from "vitest";
import { compiledAccess } from "../../../src/config/access.ts";
import { type Route, type RouteInput, unmatchedRoute } from "../../../src/config/route.ts";
import { check } from "../../../src/edge/check.ts";
import type { Problem } from "../../../src/http/problem.ts";
import { confirmation } from "../../../src/identity/confirm.ts";
import type { UnverifiedIdentity } from "../../../src/identity/confirmed.ts";
import type { EdgeRequest } from "../../../src/request/capability.ts";
import type { SessionVerdict } from "../../../src/session/verdict.ts";
import { claimsOf } from "../../support/identity.ts";

const HASH = "0".repeat(32);
const KEY = { kind: "verified", hash: HASH, name: "one", tier: null, userId: null } as const;
const MADE_UP = { kind: "unverified", hash: HASH } as const;
const UNCHECKED = { ...MADE_UP, unchecked: true } as const;
const JWT = { kind: "verified", userId: "ada", tier: null, claims: "{}" } as const;
const EXPIRED = { kind: "invalid", reason: "expired" } as const;
const FORGED = { kind: "invalid", reason: "signature" } as const;
const active = { kind: "active", tokenSource: "bearer" } as unknown as SessionVerdict;
const none: SessionVerdict = { kind: "none" };
const unknown = { kind: "unknown" } as unknown as SessionVerdict;

test.each<
  [
    access: RouteInput["access"],
    verifiesKeys: boolean,
    claims: Partial<UnverifiedIdentity>,
    session: SessionVerdict,
    code: string | null,
  ]
>([
  ["public", false, {}, none, null],
  ["public", false, { key: UNCHECKED, jwt: { kind: "unknown" } }, unknown, null],
  ["identified", false, {}, none, "CREDENTIALS_REQUIRED"],
  ["identified", false, { key: KEY }, none, null],
  ["identified", false, { jwt: JWT }, none, null],
  ["identified", false, {}, active, null],
  ["identified", false, { key: MADE_UP }, none, "CREDENTIALS_REQUIRED"],
  ["identified", false, { key: UNCHECKED }, none, "IDENTITY_UNAVAILABLE"],
  ["identified", true, { key: MADE_UP }, none, null],
  ["identified", true, { key: UNCHECKED }, none, null],
  ["session", false, { key: KEY, jwt: JWT }, none, "SESSION_REQUIRED"],
  ["session", true, { key: MADE_UP }, none, "SESSION_REQUIRED"],
  ["session", false, { key: UNCHECKED, jwt: { kind: "unknown" } }, none, "SESSION_REQUIRED"],
  ["session", false, {}, unknown, "IDENTITY_UNAVAILABLE"],
  ["session", false, {}, active, null],
  [["key"], false, { key: KEY }, none, null],
  [["key"], false, { jwt: JWT }, active, "CREDENTIALS_REQUIRED"],
  [["key"], false, { jwt: { kind: "unknown" } }, unknown, "CREDENTIALS_REQUIRED"],
  [["key"], true, { key: MADE_UP }, none, null],
  [["session", "jwt"], false, { key: KEY }, none, "CREDENTIALS_REQUIRED"],
  [["session", "jwt"], true, { key: MADE_UP }, none, "CREDENTIALS_REQUIRED"],
  [["session", "jwt"], false, { jwt: JWT }, none, null],
  [["session", "jwt"], false, {}, active, null],
  [["session", "jwt"], false, { key: KEY, jwt: { kind: "unknown" } }, none, "IDENTITY_UNAVAILABLE"],
  [["jwt"], false, { jwt: { kind: "unknown" } }, active, "IDENTITY_UNAVAILABLE"],
  [["session"], false, {}, none, "SESSION_REQUIRED"],
  ["public", false, { jwt: EXPIRED }, none, null],
  ["identified", false, { jwt: EXPIRED }, none, "TOKEN_INVALID"],
  ["identified", false, { jwt: FORGED, key: KEY }, none, null],
  ["identified", false, { jwt: FORGED }, active, null],
  ["identified", false, { jwt: FORGED }, unknown, "IDENTITY_UNAVAILABLE"],
  [["jwt"], false, { jwt: FORGED }, none, "TOKEN_INVALID"],
  [["key"], false, { jwt: FORGED }, none, "CREDENTIALS_REQUIRED"],
  ["session", false, { jwt: FORGED }, none, "SESSION_REQUIRED"],
])("access %j (verifiesKeys: %s), %j, session %j: %s", async (access, verifiesKeys, given, session, code) => {
  const refused = await checked(claimsOf(given), session, {
    access: compiledAccess(access ?? "public"),
    verifiesKeys,
  });
  expect(refused?.code ?? null).toBe(code);
});

test.each<[jwt: UnverifiedIdentity["jwt"], challenge: string]>([
  [EXPIRED, 'Bearer error="invalid_token", error_description="The token has expired"'],
  [FORGED, 'Bearer error="invalid_token"'],
  [{ kind: "absent" }, "Bearer"],
])("%j is answered with the challenge %s (RFC 6750 §3)", async (jwt, challenge) => {
  const refused = await checked(claimsOf({ jwt }), none, { access: "identified" });
  expect(refused?.facts.headers).toEqual({ "www-authenticate": challenge });
});

test.each<
  [what: string, headers: Record<string, string>, method: string, cookie: boolean, code: string | null]
>([
  ["another site's form", { origin: "https://evil.example" }, "POST", true, "CROSS_SITE_REQUEST"],
  ["a sandboxed one's", { origin: "null" }, "DELETE", true, "CROSS_SITE_REQUEST"],
  [
    "another site by its fetch metadata",
    { "sec-fetch-site": "cross-site" },
    "POST",
    true,
    "CROSS_SITE_REQUEST",
  ],
  [
    "another site's WebSocket",
    { origin: "https://evil.example", upgrade: "websocket" },
    "GET",
    true,
    "CROSS_SITE_REQUEST",
  ],
  ["another site's link", { origin: "https://evil.example" }, "GET", true, null],
  ["the edge's own page", { origin: "https://edge.example" }, "POST", true, null],
  ["a listed origin's", { origin: "https://app.example" }, "POST", true, null],
  ["a program", {}, "POST", true, null],
  ["a bearer from another site", { origin: "https://evil.example" }, "POST", false, null],
])("a request by JWT_COOKIE: %s", async (_, headers, method, cookie, code) => {
  const claims = claimsOf({ jwt: JWT });
  if (cookie) claims.credentials.jwtCookie = true;
  const refused = await checked(claims, none, {}, { method, headers });
  expect(refused?.code ?? null).toBe(code);
});

test.each<[what: string, claims: Partial<UnverifiedIdentity>, cookie: boolean, code: string | null]>([
  ["beside a good bearer", { jwt: JWT, cookieJwt: true }, false, "CROSS_SITE_REQUEST"],
  ["beside a forged bearer", { jwt: FORGED, cookieJwt: true }, false, "CROSS_SITE_REQUEST"],
  ["that cannot be checked now", { jwt: { kind: "unknown" } }, true, "CROSS_SITE_REQUEST"],
  ["that is refused", { jwt: EXPIRED }, true, null],
  ["that is not there", { jwt: FORGED }, false, null],
])("another site's request with a JWT_COOKIE %s", async (_, given, cookie, code) => {
  const claims = claimsOf(given);
  if (cookie) claims.credentials.jwtCookie = true;
  const headers = { origin: "https://evil.example" };
  expect((await checked(claims, none, {}, { method: "POST", headers }))?.code ?? null).toBe(code);
});

/** The refusal of a request with these claims to a public route, or one that is as given. */
async function checked(
  claims: UnverifiedIdentity,
  session: SessionVerdict,
  given: Partial<Route>,
  init: RequestInit = {},
): Promise<Problem | null> {
  const route = { ...unmatchedRoute, ...given };
  const { confirm } = await confirmation(claims, {
    identifier: { identity: async (kind) => ({ kind, hash: HASH }) },
    knownOutcome: async () => null,
    sessions: true,
  });
  const url = new URL("https://edge.example/x");
  const request = { request: new Request(url, init), url, route, claims } as EdgeRequest;
  return check({
    request,
    identity: confirm(false),
    session,
    limits: null,
    trustedOrigins: ["https://app.example"],
    storeRetryAfterSeconds: 1,
  });
}
