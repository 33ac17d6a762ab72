import { beforeEach, describe, expect, inject, it } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
import { storeOfOwner } from "../../support/store.ts";

const open = storeOfOwner;
let key: string;

beforeEach(() => {
  key = `store-redis:${crypto.randomUUID()}`;
});

describe("a handler's redis", () => {
  it("runs any command, each as one call", async () => {
    const { store, calls } = open();
    const redis = store.redis();
    expect(await redis.set(key, "1e3", { px: 60_000 })).toBe("OK");
    expect(await redis.get(key), "text stays text").toBe("1e3");
    expect(await redis.pttl(key)).toBeGreaterThan(0);
    expect(await redis.exec(["STRLEN", key])).toBe(3);
    expect(await redis.get(`${key}:none`)).toBeNull();
    expect(calls.map(({ commands }) => commands.length)).toEqual([1, 1, 1, 1, 1]);
  });

  it("replies as the SDK's types say: hashes as objects, JSON as what it was set from", async () => {
    const redis = open().store.redis();
    await redis.hset(key, { n: "106242075399214372653", f: { a: [1, null] } });
    await redis.pexpire(key, 60_000);
    expect(await redis.hgetall(key)).toEqual({ n: "106242075399214372653", f: { a: [1, null] } });
    await redis.set(`${key}:json`, { a: 1 }, { px: 60_000 });
    expect(await redis.get(`${key}:json`)).toEqual({ a: 1 });
  });

  it("says of a failed HMGET in a pipeline that it failed, and does not throw for it", async () => {
    const redis = open().store.redis();
    await redis.set(key, "text", { px: 60_000 });
    const [first, second] = await redis.pipeline().hmget(key, "f").get(key).exec({ keepErrors: true });
    expect(first?.error).toBe("Redis refused hmget (WRONGTYPE)");
    expect(second).toMatchObject({ result: "text" });
  });

  it("makes a pipeline and a transaction one call each", async () => {
    const { store, calls } = open();
    const redis = store.redis();
    expect(await redis.pipeline().set(key, "5", { px: 60_000 }).incr(key).get(key).exec()).toEqual([
      "OK",
      6,
      6,
    ]);
    expect(await redis.multi().incr(key).incr(key).exec()).toEqual([7, 8]);
    expect(calls.map(({ path }) => path)).toEqual(["/pipeline", "/multi-exec"]);
    expect(calls[1]?.headers.get("upstash-sync-token"), "what it wrote before").toMatch(/^local-/);
  });

  it("throws what Redis refuses, by command and without key or value; item by item where it is asked", async () => {
    const { store } = open();
    const redis = store.redis();
    await redis.set(key, "a-secret", { px: 60_000 });
    const refused = { code: "command", redisCode: "WRONGTYPE", message: "Redis refused hget (WRONGTYPE)" };
    for (const attempt of [
      () => redis.hget(key, "f"),
      () => redis.pipeline().get(key).hget(key, "f").exec(),
      () => redis.multi().get(key).hget(key, "f").exec(),
    ]) {
      const error = await attempt().catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject(refused);
    }
    const kept = await redis.pipeline().get(key).hget(key, "f").exec({ keepErrors: true });
    expect(kept).toMatchObject([{ result: "a-secret" }, { error: "Redis refused hget (WRONGTYPE)" }]);
    const unknown = await redis
      .multi()
      .set(key, "another-secret", { px: 60_000 })
      .eval("not lua", [key], ["a-secret"])
      .exec()
      .catch((cause: unknown) => cause);
    expect(unknown).toMatchObject({ code: "command" });
    expect(String(unknown)).not.toContain("secret");
  });

  it("runs the SDK's scripts", async () => {
    const script = open().store.redis().createScript<string[]>(`return {KEYS[1], ARGV[1], "${key}"}`);
    expect(await script.exec([key], ["argument"])).toEqual([key, "argument", key]);
    expect(await script.exec([key], ["again"])).toEqual([key, "again", key]);
  });

  it.runIf(inject("redisKind") === "redis-server")(
    "names the command that the token may not run (NOPERM), and the breaker stays closed",
    async () => {
      const { store } = open();
      const redis = store.redis();
      // LOLWUT is taken from the user of the whole run for a moment: no other test runs it.
      await redis.exec(["ACL", "SETUSER", "default", "-lolwut"]);
      try {
        for (let i = 0; i < 4; i += 1) {
          const error = await redis.exec(["LOLWUT", "VERSION", "5"]).catch((cause: unknown) => cause);
          expect(error).toBeInstanceOf(StoreError);
          expect(error).toMatchObject({
            code: "command",
            redisCode: "NOPERM",
            message: "Redis refused LOLWUT (NOPERM)",
          });
        }
        expect(store.state).toEqual({ mode: "redis" });
        expect(store.maintenance()).toBeNull();
      } finally {
        await redis.exec(["ACL", "SETUSER", "default", "+lolwut"]);
      }
      expect(await redis.exec(["LOLWUT", "VERSION", "5"])).toContain("Redis");
    },
  );
});
