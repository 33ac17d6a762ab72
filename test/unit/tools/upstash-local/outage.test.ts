import { afterEach, describe, expect, it } from "vitest";
import { type Harness, hasRedisServer, kinds, startHarness } from "../../../support/upstash-local.ts";

let harness: Harness | undefined;
afterEach(() => harness?.stop());

const gone = { status: 500, body: { error: expect.stringMatching(/^ERR .*Redis/) as string } };

describe.each(kinds)("a Redis that goes away under the endpoint (redis: %s)", (kind) => {
  it("is a 500 on every route at once, and serves again when it is back on its port", async () => {
    harness = await startHarness(kind);
    const { url, redis } = harness;
    const { port } = redis;
    await harness.ask("SET", "k", "v");
    for (const round of ["first", "second"]) {
      await redis.kill();
      expect(await harness.post("/", ["GET", "k"]), round).toMatchObject(gone);
      expect(await harness.post("/pipeline", [["GET", "k"]]), round).toMatchObject(gone);
      expect(await harness.post("/multi-exec", [["GET", "k"]]), round).toMatchObject(gone);
      expect(await harness.post("/", ["GET", "k"], { authorization: "Bearer wrong" })).toMatchObject({
        status: 401,
      });
      await redis.start();
      expect([harness.url, redis.port]).toEqual([url, port]);
      expect((await harness.post("/multi-exec", [["GET", "k"]])).body, "it kept nothing").toEqual([
        { result: null },
      ]);
      expect(await harness.ask("SET", "k", round)).toBe("OK");
      expect(await harness.ask("GET", "k")).toBe(round);
    }
  });

  it("can be asked directly, past the endpoint", async () => {
    harness = await startHarness(kind);
    await harness.ask("SET", "k", "v");
    harness.resetCalls();
    expect(String(await harness.redis.command("GET", "k"))).toBe("v");
    expect(harness.calls).toEqual([]);
  });

  it("can stop and start while clients are connected, twice over", async () => {
    harness = await startHarness(kind);
    await harness.ask("PING");
    await harness.redis.stop();
    await harness.redis.stop();
    await harness.redis.start();
    await harness.redis.start();
    expect(await harness.ask("PING")).toBe("PONG");
  });

  it("the endpoint alone can go away and come back, at the same address", async () => {
    harness = await startHarness(kind);
    await harness.ask("SET", "k", "v");
    await harness.stopEndpoint();
    await expect(harness.post("/", ["GET", "k"])).rejects.toThrow(TypeError);
    await harness.startEndpoint();
    expect(await harness.ask("GET", "k")).toBe("v");
  });
});

describe.runIf(hasRedisServer)("a redis-server of our own", () => {
  it("keeps its data over an orderly stop, and loses it when killed", async () => {
    harness = await startHarness("required");
    const { redis } = harness;
    await harness.ask("SET", "k", "stopped");
    await redis.stop();
    await redis.start();
    expect(await harness.ask("GET", "k")).toBe("stopped");
    await harness.ask("SET", "k", "killed");
    await redis.kill();
    await redis.start();
    expect(await harness.ask("GET", "k"), "nor does the earlier value return").toBeNull();
    await harness.ask("SET", "k", "dropped");
    await redis.stop();
    await redis.start({ keepData: false });
    expect(await harness.ask("GET", "k")).toBeNull();
  });

  it("fails what was under way, and nothing else", async () => {
    harness = await startHarness("required");
    const { pid } = harness.redis;
    if (pid === undefined) throw new Error("it runs");
    process.kill(pid, "SIGSTOP");
    const underWay = harness.post("/", ["INCR", "k"]);
    while (harness.calls.length === 0) await new Promise(setImmediate);
    await harness.redis.kill();
    expect(await underWay).toMatchObject(gone);
    await harness.redis.start();
    expect(await harness.ask("INCR", "k")).toBe(1);
  });

  it("names its process while it runs", async () => {
    harness = await startHarness("required");
    const { redis } = harness;
    expect(String(await redis.command("INFO", "server"))).toContain(`process_id:${redis.pid}\r\n`);
    await redis.kill();
    expect(redis.pid).toBeUndefined();
  });
});
