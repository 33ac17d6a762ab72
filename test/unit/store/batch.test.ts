import { Ratelimit } from "@upstash/ratelimit";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
import { defineScript } from "../../../src/store/script.ts";
import { ok, storeWith } from "../../support/store.ts";

describe("a batch", () => {
  it("sends everything that was queued as one POST, all plain reads as one MGET, and the reads first", async () => {
    const { store, calls } = storeWith((commands) =>
      ok(...commands.map(([name]) => (name === "mget" ? ["1", null] : "OK"))),
    );
    const batch = store.batch();
    const written = batch.queue((pipeline) => pipeline.set("c", "3", { px: 1000 }));
    const a = batch.read("a");
    const b = batch.read("b");
    expect(batch.read("a"), "a second read of one key is the first one").toBe(a);
    await batch.send();

    expect(calls).toHaveLength(1);
    expect(calls[0]?.commands).toEqual([
      ["mget", "a", "b"],
      ["set", "c", "3", "px", 1000],
    ]);
    expect([await a, await b, await written]).toEqual(["1", null, "OK"]);
    expect(batch.calls).toBe(1);
  });

  it("makes no call when nothing was queued", async () => {
    const { store, calls } = storeWith(() => ok());
    const batch = store.batch();
    await batch.send();
    expect(calls).toHaveLength(0);
    expect(batch.calls).toBe(0);
  });

  it("serves @upstash/ratelimit's algorithms as their redis: two limiters and two reads are one call", async () => {
    const { store, calls } = storeWith((commands) =>
      ok(...commands.map(([name]) => (name === "mget" ? ["x", "y"] : [7, 10]))),
    );
    const batch = store.batch();
    const algorithm = Ratelimit.slidingWindow(10, "10 s")();
    const context = { redis: batch, prefix: "" } as unknown as Parameters<typeof algorithm.limit>[0];
    const first = algorithm.limit(context, "one");
    const second = algorithm.limit(context, "two");
    batch.read("x");
    batch.read("y");
    await batch.send();
    expect(calls.map((call) => call.commands.map(([name]) => name))).toEqual([
      ["mget", "evalsha", "evalsha"],
    ]);
    expect((await first).remaining).toBe(7);
    expect((await second).success).toBe(true);
  });

  it("sends scripts that the server does not know a second time, and nothing else", async () => {
    const { store, calls } = storeWith((commands, call) =>
      Response.json(
        commands.map(([name]) =>
          name === "evalsha" && call === 1
            ? { error: "NOSCRIPT No matching script. Please use EVAL." }
            : { result: name === "mget" ? ["v"] : [9, 10] },
        ),
      ),
    );
    const batch = store.batch();
    const own = batch.run<number[]>(defineScript("return {9, 10}"), ["k"], [1]);
    const algorithm = Ratelimit.slidingWindow(10, "10 s")();
    const context = { redis: batch, prefix: "" } as unknown as Parameters<typeof algorithm.limit>[0];
    const theirs = algorithm.limit(context, "one");
    const read = batch.read("a");
    await batch.send();
    expect(calls.map((call) => call.commands.map(([name]) => name))).toEqual([
      ["mget", "evalsha", "evalsha"],
      ["eval", "eval"],
    ]);
    expect(await own).toEqual([9, 10]);
    expect((await theirs).remaining).toBe(9);
    expect(await read).toBe("v");
  });

  it("fails the one command that failed, without its arguments, and gives the others their replies", async () => {
    const { store } = storeWith(() =>
      Response.json([{ error: "WRONGTYPE Operation against secret-value" }, { result: "OK" }]),
    );
    const batch = store.batch();
    const bad = batch.queue((pipeline) => pipeline.hmget("a", "f"));
    const good = batch.queue((pipeline) => pipeline.set("b", "1", { px: 1000 }));
    await batch.send();
    const error = await bad.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: "command", redisCode: "WRONGTYPE" });
    expect(String(error)).not.toContain("secret-value");
    expect(await good).toBe("OK");
    expect(batch.error).toBeUndefined();
  });

  it("carries the sync token it was given and brings the newer one back", async () => {
    const { store, calls } = storeWith(
      () => new Response(JSON.stringify([{ result: "PONG" }]), { headers: { "upstash-sync-token": "new" } }),
    );
    const batch = store.batch();
    batch.syncToken = "old";
    batch.queue((pipeline) => pipeline.ping());
    await batch.send();
    expect(calls[0]?.headers.get("upstash-sync-token")).toBe("old");
    expect(batch.syncToken).toBe("new");
  });
});
