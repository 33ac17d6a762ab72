import { expect, test } from "vitest";
import { withHeardKey } from "../../../src/edge/heard-key.ts";
import type { Isolate } from "../../../src/edge/isolate.ts";
import type { KeyClaim } from "../../../src/identity/caller.ts";
import { confirmation } from "../../../src/identity/confirm.ts";
import type { LimitVerdict } from "../../../src/ratelimit/verdict.ts";
import type { EdgeRequest } from "../../../src/request/capability.ts";
import { claimsOf } from "../../support/identity.ts";

const HASH = "b".repeat(32);
const VERIFIED: KeyClaim = { kind: "verified", hash: HASH, name: null, tier: "gold", userId: "acme" };
const UNVERIFIED: KeyClaim = { kind: "unverified", hash: HASH };
const allowed = { kind: "allowed" } as LimitVerdict;
const denied = { kind: "denied" } as LimitVerdict;

test.each<[claimed: KeyClaim, heard: KeyClaim | "same", limits: LimitVerdict | null, charged: string | null]>(
  [
    [VERIFIED, "same", allowed, null],
    [VERIFIED, UNVERIFIED, allowed, "address"],
    [VERIFIED, UNVERIFIED, denied, "address"],
    [VERIFIED, UNVERIFIED, null, null],
    [UNVERIFIED, "same", denied, null],
    [UNVERIFIED, { ...UNVERIFIED, unchecked: true }, denied, null],
    [UNVERIFIED, VERIFIED, allowed, null],
    [UNVERIFIED, VERIFIED, denied, "key"],
  ],
)("claimed as %j, heard to be %j, with limits %j: charged again as %s", async (...row) => {
  const [claimed, heard, limits, charged] = row;
  const again: string[] = [];
  const claims = claimsOf({ key: claimed });
  const { confirm, withKey } = await confirmation(claims, {
    identifier: { identity: async (kind) => ({ kind, hash: HASH }) },
    knownOutcome: async () => null,
    sessions: true,
  });
  const parts = {
    store: { batch: () => ({ send: async () => {}, calls: 1 }) },
    limiter: {
      prepare: (_: unknown, outcomes: { identity: { identity: { kind: string } } }) => {
        again.push(outcomes.identity.identity.kind);
        return () => allowed;
      },
    },
  } as unknown as Pick<Isolate, "store" | "limiter">;
  const decided = { identity: confirm(false), limits };
  const key = heard === "same" ? claimed : heard;
  const result = await withHeardKey(parts, { claims } as EdgeRequest, decided, { key, withKey });
  expect(again).toEqual(charged === null ? [] : [charged]);
  expect(result.calls).toBe(again.length);
  expect(result.limits).toBe(charged === null ? limits : allowed);
  expect(result.identity.key).toEqual(key);
  expect(result.identity.user?.id ?? null).toBe(key.kind === "verified" ? "acme" : null);
  if (heard === "same") expect(result.identity).toBe(decided.identity);
});
