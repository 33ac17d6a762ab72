import { describe, expect, it, test } from "vitest";
import type { Access } from "../../../src/config/access.ts";
import { createEvents } from "../../../src/events/events.ts";
import type { KeyClaim } from "../../../src/identity/caller.ts";
import type { VerifiedKey } from "../../../src/identity/key-status.ts";
import { createVerifiedKeys, type VerifiedKeys } from "../../../src/identity/verified-keys.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";
import { turn } from "../../support/store.ts";

const keys = createKeys({ cache: "c", rateLimit: "r", session: "s" });
const HASH = "0".repeat(32);
const NOBODY = { userId: null, tier: null };
const VERIFIED = { kind: "verified", hash: HASH, name: null, ...NOBODY } as const;
const UNVERIFIED = { kind: "unverified", hash: HASH } as const;
const ROUTE = { access: "public", verifiesKeys: true } as const;

/** A batch to a store that holds `stored`, and the commands that it sends. A script's reply is `scripted`. */
function batch(stored: string | null = null, scripted: unknown = "") {
  const commands: unknown[][] = [];
  const platform = testPlatform({
    fetch: async (_, init) => {
      const sent = JSON.parse(String(init?.body)) as unknown[][];
      commands.push(...sent);
      return Response.json(sent.map(([name]) => ({ result: String(name) === "mget" ? [stored] : scripted })));
    },
  });
  const store = new Store({
    connection: { url: "https://eu.example.upstash.io", token: "t0ken" },
    platform,
    events: createEvents({ platform, write: () => {} }),
  });
  return { made: store.batch(), commands };
}

/** What Redis holds of a key that was accepted then. */
const storedAs = ({ userId, tier }: VerifiedKey, askedAt: number, endedAt = 0) =>
  `${endedAt} ${askedAt} ${JSON.stringify({ userId, tier })}`;

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
    const text = JSON.stringify({ userId: "ada", tier: "premium", of: HASH });
    const written = [1, keys.keyStatus(HASH), 0, platform.now(), text, 1, 300];
    expect(commands).toEqual([["evalsha", expect.any(String), ...written]]);
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
    const stored = storedAs(now, platform.now());
    expect(await looked(verified, claim, stored)).toEqual({ ...VERIFIED, ...now });
    const same = { ...VERIFIED, ...now };
    expect(await looked(verified, same, stored), "nothing has changed").toBe(same);
  });

  it("is not prolonged by what Redis holds", async () => {
    const { platform, verified } = harness();
    await looked(verified, UNVERIFIED, storedAs(NOBODY, platform.now() - 299_000));
    expect(verified.get(HASH)).toEqual(NOBODY);
    platform.advance(1000);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is found in Redis by an isolate that does not know it, once the batch is back", async () => {
    const { platform, verified } = harness();
    const found = await looked(verified, UNVERIFIED, storedAs({ userId: "ada", tier: null }, platform.now()));
    expect(found).toEqual({ ...VERIFIED, userId: "ada" });
    expect(verified.get(HASH)).toEqual({ userId: "ada", tier: null });
  });

  it.each([
    "not json",
    '0 9000000000000 {"userId":7}',
    "0 9000000000000 null",
    storedAs(NOBODY, 1),
    storedAs(NOBODY, 9e12, 9e12),
    "9000000000000 0 ",
    '{"userId":null,"tier":null,"until":9e12}',
  ])("is not verified when Redis holds %j", async (stored) => {
    const { verified } = harness();
    expect(await looked(verified, UNVERIFIED, stored)).toBe(UNVERIFIED);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is ended here and in Redis at the first refusal, whatever Redis was asked before", async () => {
    const { platform, verified } = harness();
    const before = batch(storedAs(NOBODY, platform.now()));
    const late = verified.look(UNVERIFIED, before.made);
    verified.remember(HASH, NOBODY, batch().made);
    const { made, commands } = batch();
    const told = verified.forget(HASH, made);
    expect(verified.get(HASH)).toBeUndefined();
    await before.made.send();
    expect(await late()).toBe(UNVERIFIED);
    await made.send();
    expect(await told).toBe(true);
    const written = [1, keys.keyStatus(HASH), platform.now(), 0, "", 1, 300];
    expect(commands).toEqual([["evalsha", expect.any(String), ...written]]);
  });

  it("is over here where Redis, told of it, knows of an end since the origin was asked", async () => {
    const { platform, verified } = harness();
    const askedAt = platform.now();
    platform.advance(1000);
    const { made } = batch(null, `${platform.now()} 0 `);
    verified.remember(HASH, NOBODY, made, askedAt);
    expect(verified.get(HASH)).toEqual(NOBODY);
    await made.send();
    await turn();
    expect(verified.get(HASH)).toBeUndefined();
    platform.advance(1);
    verified.remember(HASH, NOBODY, batch().made, platform.now());
    expect(verified.get(HASH), "a newer answer").toEqual(NOBODY);
  });

  it("is as old as the request that it answers", () => {
    const { platform, verified } = harness();
    const askedAt = platform.now();
    platform.advance(5001);
    verified.remember(HASH, NOBODY, batch().made, askedAt);
    expect(verified.isDue(VERIFIED, ROUTE), "Redis is asked before anybody goes by it").toBe(true);
    platform.advance(294_998);
    expect(verified.get(HASH)).toEqual(NOBODY);
    platform.advance(1);
    expect(verified.get(HASH)).toBeUndefined();
    const { made } = batch();
    verified.remember(HASH, NOBODY, made, askedAt);
    expect([verified.get(HASH), made.empty], "an answer that took 300 s").toEqual([undefined, true]);
  });

  it("goes back to what Redis knows where its own newer word never arrived there", async () => {
    const { platform, verified } = harness();
    const ada = { userId: "ada", tier: "gold" };
    const askedAt = platform.now();
    platform.advance(1000);
    verified.remember(HASH, { userId: "ada", tier: "free" }, batch().made);
    platform.advance(5001);
    expect(await looked(verified, VERIFIED, storedAs(ada, askedAt))).toEqual({ ...VERIFIED, ...ada });
  });

  it("of an hour that has not come holds 300 s here: a clock was wrong", async () => {
    const { platform, verified } = harness();
    await looked(verified, UNVERIFIED, storedAs(NOBODY, platform.now() + 3_600_000));
    platform.advance(300_000);
    expect(verified.get(HASH)).toBeUndefined();
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
    const { made } = batch();
    for (let i = 0; i < 20_000; i += 1) verified.remember(String(i), NOBODY, made);
    expect(verified.size).toBe(10_000);
  });

  it("leaves nothing in Redis of made-up keys that the origin refuses, beyond the first 1000 within 300 s", async () => {
    const { platform, verified } = harness();
    const { made, commands } = batch();
    verified.remember(HASH, NOBODY, made);
    for (let i = 0; i < 1500; i += 1) void verified.forget(`made up ${i}`, made);
    void verified.forget(HASH, made);
    void verified.forget("an operator's", made, true);
    await made.send();
    const kept = commands.filter(([, , , , endedAt, , , always]) => endedAt !== 0 && always === 1);
    expect(kept.length).toBe(1002);
    expect(kept.slice(-2).map(([, , , key]) => key)).toEqual(
      [HASH, "an operator's"].map((hash) => keys.keyStatus(hash)),
    );
    platform.advance(300_001);
    const later = batch();
    void verified.forget("made up later", later.made);
    await later.made.send();
    expect(later.commands[0]?.at(-2)).toBe(1);
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
