import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { createVerifiedKeys } from "../../../src/identity/verified-keys.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";

const keys = createKeys({ cache: "c", rateLimit: "r", session: "s" });
const HASH = "0".repeat(32);

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
function harness() {
  const platform = testPlatform();
  return { platform, verified: createVerifiedKeys({ platform, keys }) };
}

describe("a key that the origin has verified", () => {
  it("is stored here and in Redis for an hour, with the user and tier that the origin named", async () => {
    const { platform, verified } = harness();
    const { made, commands } = batch();
    verified.remember(HASH, '{"user_id":"ada","tier":"premium"}', made);
    await made.send();
    const text = '{"userId":"ada","tier":"premium"}';
    expect(commands).toEqual([["set", keys.verifiedKey(HASH), text, "ex", 3600]]);
    expect(verified.get(HASH)).toEqual({ userId: "ada", tier: "premium" });
    platform.advance(3_600_000);
    expect(verified.get(HASH)).toBeUndefined();
  });

  it.each(["", "not json", "[]", '{"user_id":7}', '{"user_id":"\\ud800"}', undefined])(
    "is verified also where the signal is malformed or absent: %j",
    (signal) => {
      const { verified } = harness();
      verified.remember(HASH, signal, batch().made);
      expect(verified.get(HASH)).toEqual({ userId: null, tier: null });
    },
  );

  it("is found in Redis by an isolate that does not know it, from the next request on", async () => {
    const { verified } = harness();
    const { made } = batch('{"userId":"ada","tier":null}');
    verified.look(HASH, made);
    expect(verified.get(HASH)).toBeUndefined();
    await made.send();
    await Promise.resolve();
    expect(verified.get(HASH)).toEqual({ userId: "ada", tier: null });
  });

  it.each(["not json", '{"userId":7}', "null"])("is not verified when Redis holds %j", async (stored) => {
    const { verified } = harness();
    const { made } = batch(stored);
    verified.look(HASH, made);
    await made.send();
    await Promise.resolve();
    expect(verified.get(HASH)).toBeUndefined();
  });

  it("is deleted here and in Redis at the first refusal", async () => {
    const { verified } = harness();
    verified.remember(HASH, undefined, batch().made);
    const { made, commands } = batch();
    verified.forget(HASH, made);
    await made.send();
    expect(verified.get(HASH)).toBeUndefined();
    expect(commands).toEqual([["del", keys.verifiedKey(HASH)]]);
  });

  it("stays in memory, however many unknown keys are presented", () => {
    const { verified } = harness();
    for (let i = 0; i < 20_000; i += 1) verified.remember(String(i), undefined, batch().made);
    expect(verified.size).toBe(10_000);
  });
});
