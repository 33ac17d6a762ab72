import { Ratelimit } from "@upstash/ratelimit";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
import { GivenUp } from "../../../src/store/given-up.ts";
import { defineScript } from "../../../src/store/script.ts";
import { ok, storeWith, turn } from "../../support/store.ts";

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

  it("hands each of those who read several keys the texts of its own, whoever else reads", async () => {
    const values = new Map(["a", "b", "c", "d"].map((key) => [key, `text of ${key}`]));
    const { store, calls } = storeWith(([command = []]) =>
      ok(command.slice(1).map((key) => values.get(String(key)) ?? null)),
    );
    const batch = store.batch();
    const first = batch.readAll(["a", "none", "b"]);
    const one = batch.read("c");
    const empty = batch.readAll([]);
    const last = batch.readAll(["d", "a"]);
    await batch.send();
    expect(calls[0]?.commands).toEqual([["mget", "a", "none", "b", "c", "d", "a"]]);
    expect(await first).toEqual(["text of a", null, "text of b"]);
    expect(await one).toBe("text of c");
    expect(await empty).toEqual([]);
    expect(await last).toEqual(["text of d", "text of a"]);
  });

  it.each<[what: string, reply: unknown]>([
    ["too few", ["1"]],
    ["too many", ["1", "2", "3", "4"]],
    ["a number", [1, "2", "3"]],
    ["no list", "123"],
  ])("gives nobody a text where the reply to the reads has %s", async (_what, reply) => {
    const { store } = storeWith(() => ok(reply, "OK"));
    const batch = store.batch();
    const readers = [batch.readAll(["a", "b"]), batch.read("c")];
    const written = batch.queue((pipeline) => pipeline.set("d", "1"));
    await batch.send();
    for (const reader of readers) await expect(reader).rejects.toMatchObject({ code: "malformed" });
    expect(await written).toBe("OK");
  });

  it("tells each reader and each command late what came after it was given up", async () => {
    const answer = Promise.withResolvers<Response>();
    const { store, platform } = storeWith((_, call) => (call === 1 ? ok("PONG") : answer.promise));
    const waiting: Promise<unknown>[] = [];
    // The first calls may have to wait for a handshake, and have longer.
    const first = store.batch((work) => waiting.push(work));
    first.queue((pipeline) => pipeline.ping());
    await first.send();
    platform.advance(1200);
    const batch = store.batch((work) => waiting.push(work));
    const asked = [
      batch.readAll(["a", "b"]),
      batch.read("c"),
      batch.queue((pipeline) => pipeline.get("d")),
      batch.queue((pipeline) => pipeline.get("e")),
    ];
    const sent = batch.send();
    await turn();
    platform.advance(400);
    await sent;
    const errors = await Promise.all(asked.map((each) => each.catch((error: unknown) => error)));
    const late = errors.map((error) => (error instanceof GivenUp ? error.late : Promise.reject(error)));
    answer.resolve(ok(["1", null, "3"], "4", "5"));
    expect(await Promise.all(late)).toEqual([["1", null], "3", "4", "5"]);
    await Promise.all(waiting);
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
    const own = batch.run(defineScript("return {9, 10}"), ["k"], [1]);
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
    const next = store.batch();
    next.queue((pipeline) => pipeline.ping());
    await next.send();
    expect(calls[1]?.headers.get("upstash-sync-token"), "it is the one batch's").toBeNull();
    expect(calls[1]?.headers.get("authorization")).toBe("Bearer a-token-of-the-test");
  });
});
