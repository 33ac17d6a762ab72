import { describe, expect, expectTypeOf, it } from "vitest";
import { type ConfirmationOptions, confirmation } from "../../../src/identity/confirm.ts";
import type { ConfirmedIdentity, UnverifiedIdentity } from "../../../src/identity/confirmed.ts";
import { claimsOf } from "../../support/identity.ts";
import { claims } from "../../support/session-samples.ts";

const options = (over: Partial<ConfirmationOptions> = {}): ConfirmationOptions => ({
  identifier: { identity: async (kind, value) => ({ kind, hash: `${kind} ${value}` }) },
  knownOutcome: async () => null,
  sessions: true,
  ...over,
});
const session = claims({ userId: "ada", tier: "premium" });
const signed = { kind: "signed", claims: session, tokenSource: "bearer" } as const;
const jwt = { kind: "verified", userId: "grace", tier: "basic", claims: "{}" } as const;
const key = { kind: "verified", hash: "k".repeat(32), name: "partner", tier: "gold", userId: null } as const;

it("an unverified identity has no user and no tier, and is not assignable to a confirmed one", () => {
  expectTypeOf<UnverifiedIdentity>().not.toHaveProperty("user");
  expectTypeOf<UnverifiedIdentity>().not.toHaveProperty("tier");
  expectTypeOf<UnverifiedIdentity>().not.toExtend<ConfirmedIdentity>();
  expectTypeOf<Omit<ConfirmedIdentity, never>>().not.toExtend<UnverifiedIdentity>();
});

describe("a session that was not confirmed recently", () => {
  it("has two possible identities, and confirm returns one of them", async () => {
    const { outcomes, confirm } = await confirmation(claimsOf({ session: signed }), options());
    if (outcomes.kind !== "open") throw new Error("settled");
    expect(outcomes.alive).toMatchObject({
      user: { id: "ada", tier: "premium" },
      tier: "premium",
      identity: { kind: "user", hash: "user ada" },
      session,
    });
    expect(outcomes.over).toMatchObject({ user: null, tier: null, session: null });
    expect(outcomes.over.identity.kind).toBe("address");
    expect(confirm(true)).toBe(outcomes.alive);
    expect(confirm(false)).toBe(outcomes.over);
  });

  it("has no user once it is over, except that of a JWT", async () => {
    const { confirm } = await confirmation(claimsOf({ session: signed, jwt }), options());
    expect(confirm(false)).toMatchObject({ user: { id: "grace" }, tier: "basic" });
    expect(confirm(true)).toMatchObject({ user: { id: "ada" }, tier: "premium" });
  });
});

describe("identities that are settled before any call", () => {
  it.each<[string, Partial<UnverifiedIdentity>, Partial<ConfirmationOptions>, object]>([
    ["no credentials", {}, {}, { user: null, identity: { kind: "address" } }],
    [
      "the session was confirmed a moment ago",
      { session: signed },
      { knownOutcome: async ({ id }) => (id === session.id ? "alive" : null) },
      { user: { id: "ada" }, identity: { kind: "user" } },
    ],
    [
      "the session is known to be over",
      { session: signed },
      { knownOutcome: async () => "over" },
      { user: null, tier: null, session: null, identity: { kind: "address" } },
    ],
    [
      "the token is forged",
      { session: { kind: "invalid", tokenSource: "cookie" } },
      {},
      { user: null, identity: { kind: "address" } },
    ],
    ["sessions take no part", { session: signed }, { sessions: false }, { user: null, session: null }],
    ["a JWT", { jwt }, {}, { user: { id: "grace" }, tier: "basic", identity: { kind: "user" } }],
    ["a verified key", { key }, {}, { user: null, tier: "gold", identity: { kind: "key", hash: key.hash } }],
    [
      "a key that the origin named a user for",
      { key: { ...key, userId: "linus" } },
      {},
      { user: { id: "linus" }, identity: { kind: "key" } },
    ],
    ["an unverified key", { key: { kind: "unverified", hash: "u" } }, {}, { identity: { kind: "address" } }],
  ])("%s", async (_, claimed, over, expected) => {
    const { outcomes } = await confirmation(claimsOf(claimed), options(over));
    if (outcomes.kind !== "settled") throw new Error("open");
    expect(outcomes.identity).toMatchObject(expected);
  });

  it("a recently confirmed session that has ended since has no user", async () => {
    const { confirm } = await confirmation(
      claimsOf({ session: signed }),
      options({ knownOutcome: async () => "alive" }),
    );
    expect(confirm(false)).toMatchObject({ user: null, identity: { kind: "address" } });
  });

  it("with a verified key and a valid session, limits count the key with the key's tier", async () => {
    const { confirm } = await confirmation(claimsOf({ session: signed, key }), options());
    expect(confirm(true)).toMatchObject({ identity: { kind: "key" }, tier: "gold", user: { id: "ada" } });
  });
});
