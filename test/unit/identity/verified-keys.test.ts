import { describe, expect, it, test } from "vitest";
import type { Access } from "../../../src/config/access.ts";
import { createEvents } from "../../../src/events/events.ts";
import type { KeyClaim } from "../../../src/identity/caller.ts";
import {
  createVerifiedKeys,
  type VerifiedKey,
  type VerifiedKeys,
} from "../../../src/identity/verified-keys.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";

const keys = createKeys({ cache: "c", rateLimit: "r", session: "s" });
const HASH = "0".repeat(32);
const NOBODY = { userId: null, tier: null };
const VERIFIED = { kind: "verified", hash: HASH, name: null, ...NOBODY } as const;
const UNVERIFIED = { kind: "unverified", hash: HASH } as const;
const ROUTE = { access: "public", verifiesKeys: true } as const;

/** A batch to a store that holds `stored`, and the commands that it sends. */
function batch(stored: string | null = null) {
  const commands: unknown[][] = [];
  const platform = testPlatform({
    fetch: async (_, init) => {
      const sent = JSON.parse(String(init?.body)) as unknown[][];
      commands.push(...sent);
      return Response.json(sent.map(([name]) => ({ result: String(name) === "mget" ? [stored] : "OK" })));
    },
  });
  const store = new Store({
    connection: { url: "https://eu.example.upstash.io", token: "t0ken" },
    platform,
    events: createEvents({ platform, write: () => {} }),
  });
  return { made: store.batch(), commands };
}

/** What is known of a key once Redis, which holds `stored`, has been asked. */
async function looked(
  verified: VerifiedKeys,
  claim: Exclude<KeyClaim, { kind: "absent" }>,
  stored: string | null,
): Promise<KeyClaim> {
  const { made } = batch(stored);
  const heard = verified.look(claim, made);
  await made.send();
  return heard();
}

function harness() {
  const platform = testPlatform();
  return { platform, verified: createVerifiedKeys({ platform, keys }) };
}

describe("a key that the origin has verified", () => {
  it("is remembered here and in Redis for 300 s, with what the origin said of it", async () => {
    const { platform, verified } = harness();
    const { made, commands } = batch();
    verified.remember(HASH, { userId: "ada", tier: "premium" }, made);
    await made.send();
    const text = JSON.stringify({ userId: "ada", tier: "premium", until: platform.now() + 300_000 });
    expect(commands).toEqual([["set", keys.verifiedKey(HASH), text, "ex", 300]]);
    expect(verified.get(HASH)).toEqual({ userId: "ada", tier: "premium" });
    platform.advance(300_000);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is read again after ISOLATE_MAX_AGE_MS, and gone where Redis no longer has it", async () => {
    const { platform, verified } = harness();
    verified.remember(HASH, NOBODY, batch().made);
    platform.advance(5000);
    expect(verified.isDue(VERIFIED, ROUTE)).toBe(false);
    platform.advance(1);
    expect(verified.isDue(VERIFIED, ROUTE)).toBe(true);
    expect(await looked(verified, VERIFIED, null)).toEqual(UNVERIFIED);
    expect(verified.get(HASH)).toBeUndefined();
    expect(verified.isDue(VERIFIED, ROUTE)).toBe(false);
  });

  test.each<[what: string, now: VerifiedKey]>([
    ["another user's", { userId: "eve", tier: "gold" }],
    ["of another tier", { userId: "ada", tier: "free" }],
    ["nobody's", { userId: null, tier: null }],
    ["of no tier", { userId: "ada", tier: null }],
  ])("is %s at once where the origin has told another isolate so", async (_what, now) => {
    const { platform, verified } = harness();
    const before = { userId: "ada", tier: "gold" };
    verified.remember(HASH, before, batch().made);
    platform.advance(5001);
    const claim = { ...VERIFIED, ...before };
    const stored = JSON.stringify({ ...now, until: platform.now() + 300_000 });
    expect(await looked(verified, claim, stored)).toEqual({ ...VERIFIED, ...now });
    const same = { ...VERIFIED, ...now };
    expect(await looked(verified, same, stored), "nothing has changed").toBe(same);
  });

  it("is not prolonged by what Redis holds", async () => {
    const { platform, verified } = harness();
    await looked(verified, UNVERIFIED, JSON.stringify({ ...NOBODY, until: platform.now() + 1000 }));
    expect(verified.get(HASH)).toEqual(NOBODY);
    platform.advance(1000);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is found in Redis by an isolate that does not know it, once the batch is back", async () => {
    const { verified } = harness();
    const found = await looked(verified, UNVERIFIED, '{"userId":"ada","tier":null,"until":9e12}');
    expect(found).toEqual({ ...VERIFIED, userId: "ada" });
    expect(verified.get(HASH)).toEqual({ userId: "ada", tier: null });
  });

  it.each([
    "not json",
    '{"userId":7}',
    "null",
    '{"userId":null,"tier":null}',
    '{"userId":null,"tier":null,"until":1}',
    '{"userId":null,"tier":null,"until":"9e12"}',
  ])("is not verified when Redis holds %j", async (stored) => {
    const { verified } = harness();
    expect(await looked(verified, UNVERIFIED, stored)).toBe(UNVERIFIED);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is deleted here and in Redis at the first refusal, whatever Redis was asked before", async () => {
    const { verified } = harness();
    const before = batch('{"userId":null,"tier":null,"until":9e12}');
    const late = verified.look(UNVERIFIED, before.made);
    verified.remember(HASH, NOBODY, batch().made);
    const { made, commands } = batch();
    const told = verified.forget(HASH, made);
    expect(verified.get(HASH)).toBeUndefined();
    await before.made.send();
    expect(await late()).toBe(UNVERIFIED);
    await made.send();
    expect(await told).toBe(true);
    expect(commands).toEqual([["del", keys.verifiedKey(HASH)]]);
  });

  it("is not forgotten by a reply that is older than the origin's word", async () => {
    const { verified } = harness();
    const before = batch(null);
    const late = verified.look(UNVERIFIED, before.made);
    verified.remember(HASH, NOBODY, batch().made);
    await before.made.send();
    expect(await late()).toEqual(VERIFIED);
  });

  it("stays in memory, however many unknown keys are presented", () => {
    const { verified } = harness();
    for (let i = 0; i < 20_000; i += 1) verified.remember(String(i), NOBODY, batch().made);
    expect(verified.size).toBe(10_000);
  });
});

test.each<[claim: KeyClaim, access: Access, verifiesKeys: boolean, inUse: boolean, due: boolean]>([
  [{ kind: "absent" }, "identified", true, true, false],
  [UNVERIFIED, "public", false, true, false],
  [UNVERIFIED, "public", true, true, true],
  [UNVERIFIED, "identified", false, true, true],
  [UNVERIFIED, ["key"], false, true, true],
  [UNVERIFIED, ["session", "jwt"], false, true, false],
  [UNVERIFIED, "session", false, true, false],
  [UNVERIFIED, "identified", false, false, false],
  [{ ...VERIFIED, name: "configured" }, "identified", true, true, false],
])("Redis is asked of %j on a route of access %j (verifiesKeys: %s, in use: %s): %s", (...row) => {
  const [claim, access, verifiesKeys, inUse, due] = row;
  const verified = createVerifiedKeys({ platform: testPlatform(), keys, inUse });
  expect(verified.isDue(claim, { access, verifiesKeys })).toBe(due);
});
