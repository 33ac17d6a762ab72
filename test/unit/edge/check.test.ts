import { expect, test } from "vitest";
import { compiledAccess } from "../../../src/config/access.ts";
import { type RouteInput, unmatchedRoute } from "../../../src/config/route.ts";
import { check } from "../../../src/edge/check.ts";
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
])("access %j (verifiesKeys: %s), %j, session %j: %s", async (access, verifiesKeys, given, session, code) => {
  const claims = claimsOf(given);
  const route = { ...unmatchedRoute, access: compiledAccess(access ?? "public"), verifiesKeys };
  const { confirm } = await confirmation(claims, {
    identifier: { identity: async (kind) => ({ kind, hash: HASH }) },
    knownOutcome: async () => null,
    sessions: true,
  });
  const url = new URL("https://edge.example/x");
  const request = { request: new Request(url), url, route, claims } as EdgeRequest;
  const refused = check({
    request,
    identity: confirm(false),
    session,
    limits: null,
    trustedOrigins: [],
    storeRetryAfterSeconds: 1,
  });
  expect(refused?.code ?? null).toBe(code);
});
