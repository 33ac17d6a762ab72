import { beforeAll, describe, expect, inject, it } from "vitest";
import { bearing, edgeOfAllKinds, LIMITED, signIn, traffic } from "../../support/edge/traffic.ts";
import { freshPrefix } from "../../support/limits.ts";
import { copyKeys } from "../../support/redis-copies.ts";

async function redis(...command: (string | number)[]): Promise<unknown> {
  const response = await fetch(inject("ownerUrl"), {
    method: "POST",
    headers: { authorization: `Bearer ${inject("ownerToken")}` },
    body: JSON.stringify(command),
  });
  const { result, error } = (await response.json()) as { result?: unknown; error?: string };
  if (error) throw new Error(`${command[0]}: ${error}`);
  return result;
}

type Put = (key: string) => Promise<unknown>;
const TEXTS = [
  ...["", "null", "true", "[]", "{}", "[1,2]", "{", '"', "\u0000", "0 0", "nan", "NaN", "inf", "1e999"],
  ...["-5", "-1000", "1.5", "x".repeat(70_000), '{"a":'.repeat(3000)],
];
/** What another program may have left under a key, or half a write. */
const ODD: [what: string, put: Put][] = [
  ...TEXTS.map((text): [string, Put] => [
    JSON.stringify(text.slice(0, 12)),
    (key) => redis("SET", key, text),
  ]),
  ["a list", (key) => redis("RPUSH", key, "a", "b")],
  ["a hash", (key) => redis("HSET", key, "a", "b")],
  ["a bucket of NaN", (key) => redis("HSET", key, "tokens", "nan", "refilledAt", "nan")],
  ["a bucket below zero", (key) => redis("HSET", key, "tokens", "-5", "refilledAt", "-5")],
  ["a bucket without end", (key) => redis("HSET", key, "tokens", "inf", "refilledAt", "inf")],
  ["a set", (key) => redis("SADD", key, "a", "b")],
  ["a sorted set", (key) => redis("ZADD", key, 1, "a", -5, "{")],
  ["a stream", (key) => redis("XADD", key, "*", "a", "b")],
];
const PARTS = { limits: "r", sessions: "s", "cached answers": "c" };

/** Isolates over the keys of one prefix. */
const opened = (prefix: string) =>
  edgeOfAllKinds({
    REDIS_RATE_LIMIT_PREFIX: `{${prefix}r}`,
    REDIS_SESSION_PREFIX: `{${prefix}s}`,
    REDIS_CACHE_PREFIX: `{${prefix}c}`,
  });

/** What was overwritten may be a session, or an index that is read alone. */
const wrong = (status: number) => status >= 500 || status === 400;

describe("what another program has written over", () => {
  const prefix = freshPrefix();
  let token = "";
  let keys: string[] = [];
  beforeAll(async () => {
    const edge = opened(prefix);
    token = await signIn(edge);
    for (const isolate of [0, 1]) expect(await traffic(edge, { token, isolate, wrong })).toEqual([]);
    await edge.ask("/auth/sessions", { method: "DELETE", headers: bearing(token) });
    keys = (await redis("KEYS", `{${prefix}*`)) as string[];
    for (const part of Object.values(PARTS))
      expect(keys.filter((key) => key.includes(`${part}}`)).length, part).toBeGreaterThan(3);
  });

  /** A copy of the keys, some of them overwritten. */
  async function overwritten(isOver: (key: string) => boolean, put: Put): Promise<ReturnType<typeof opened>> {
    const copy = freshPrefix();
    for (const part of Object.values(PARTS)) await copyKeys(`{${prefix}${part}}`, `{${copy}${part}}`);
    for (const key of keys.filter(isOver)) {
      await redis("DEL", key.replace(prefix, copy));
      await put(key.replace(prefix, copy));
    }
    return opened(copy);
  }

  describe.each(ODD)("by %s", (_, put) => {
    it.each(Object.entries(PARTS))("fails no request: %s", async (_part, letter) => {
      const edge = await overwritten((key) => key.includes(`${letter}}`), put);
      for (const isolate of [0, 1]) expect(await traffic(edge, { token, isolate, wrong })).toEqual([]);
    });

    // The library has charged its own counter when it tells what it read: up to as much again passes there.
    it.each(Object.entries(LIMITED))("lets no more than the limit of %s pass", async (path, limit) => {
      const edge = await overwritten((key) => key.includes(`:${path}|`), put);
      const most = path === "/sliding" ? 2 * limit : limit;
      let passed = 0;
      for (let n = 0; n < 2 * limit + 5; n += 1) passed += (await edge.ask(path)).status === 200 ? 1 : 0;
      expect(passed).toBeLessThanOrEqual(most);
      expect(passed, "nor is everybody refused").toBeGreaterThan(0);
    });
  });
});
