import { Ratelimit } from "@upstash/ratelimit";
import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
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

describe("a store that misbehaves is one typed error", () => {
  const body =
    (text: string, status = 200) =>
    () =>
      new Response(text, { status });
  const cases: [what: string, answer: () => Response | Promise<Response>, code: string][] = [
    [
      "refuses the connection",
      () => Promise.reject(new TypeError("connect ECONNREFUSED https://store.example token")),
      "unreachable",
    ],
    ["answers 401", body('{"error":"WRONGPASS a-token-of-the-test"}', 401), "unauthorized"],
    ["answers 429", body('{"error":"slow down"}', 429), "throttled"],
    [
      "answers 500",
      body('{"error":"ERR, command was: [[\\"set\\",\\"key\\",\\"secret-value\\"]]"}', 500),
      "server",
    ],
    ["answers 503 as HTML", body("<html>secret-value</html>", 503), "server"],
    ["answers 200 as HTML", body("<html>secret-value</html>"), "malformed"],
    ["answers truncated JSON", body('[{"result":"secret-val'), "malformed"],
    ["answers JSON of another shape", body('{"result":"secret-value"}'), "malformed"],
    ["answers a list of other things", body('["secret-value"]'), "malformed"],
    ["answers fewer items than commands", body("[]"), "malformed"],
    ["answers an empty 200", body(""), "malformed"],
    [
      "has used up its quota",
      body('[{"error":"ERR max requests limit exceeded. Limit: 500000"}]'),
      "throttled",
    ],
    [
      "breaks off in the body",
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('[{"res'));
              controller.error(new Error("reset"));
            },
          }),
        ),
      "unreachable",
    ],
  ];
  it.each(cases)("when it %s", async (_what, answer, code) => {
    const { store } = storeWith(answer);
    const batch = store.batch();
    const reply = batch.queue((pipeline) => pipeline.set("key", "secret-value", { px: 1000 }));
    await batch.send();
    const error = await reply.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code });
    expect(batch.error, "the whole batch failed").toBe(error);
    const shown = `${String(error)} ${JSON.stringify(error)}`;
    expect(shown, "an error holds no value and no token").not.toMatch(/secret-val|a-token-of|"key"/);
  });

  it("when it hangs: timeout at the deadline, three times as long on an isolate's first call", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    const settled: string[] = [];
    const ask = (name: string) => {
      const batch = store.batch();
      batch.queue((pipeline) => pipeline.ping());
      return batch.send().then(() => settled.push(`${name}: ${batch.error?.code}`));
    };
    const first = ask("first");
    await turn();
    platform.advance(1199);
    await turn();
    expect(settled, "the first call may take 1200 ms").toEqual([]);
    platform.advance(1);
    await first;
    const second = ask("second");
    await turn();
    platform.advance(400);
    await second;
    expect(settled).toEqual(["first: timeout", "second: timeout"]);
  });
});
