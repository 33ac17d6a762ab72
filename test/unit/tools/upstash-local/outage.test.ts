import { afterEach, describe, expect, it } from "vitest";
import { hasRedisServer, kinds, type Rig, startRig } from "../../../support/upstash-local.ts";

let rig: Rig | undefined;
afterEach(() => rig?.stop());

const gone = { status: 500, body: { error: expect.stringMatching(/^ERR .*Redis/) as string } };

describe.each(kinds)("a Redis that goes away under the endpoint (redis: %s)", (kind) => {
  it("is a 500 on every route at once, and serves again when it is back on its port", async () => {
    rig = await startRig(kind);
    const { url, redis } = rig;
    const { port } = redis;
    await rig.ask("SET", "k", "v");
    for (const round of ["first", "second"]) {
      await redis.kill();
      expect(await rig.post("/", ["GET", "k"]), round).toMatchObject(gone);
      expect(await rig.post("/pipeline", [["GET", "k"]]), round).toMatchObject(gone);
      expect(await rig.post("/multi-exec", [["GET", "k"]]), round).toMatchObject(gone);
      expect(await rig.post("/", ["GET", "k"], { authorization: "Bearer wrong" })).toMatchObject({
        status: 401,
      });
      await redis.start();
      expect([rig.url, redis.port]).toEqual([url, port]);
      expect((await rig.post("/multi-exec", [["GET", "k"]])).body, "it kept nothing").toEqual([
        { result: null },
      ]);
      expect(await rig.ask("SET", "k", round)).toBe("OK");
      expect(await rig.ask("GET", "k")).toBe(round);
    }
  });

  it("can be asked directly, past the endpoint", async () => {
    rig = await startRig(kind);
    await rig.ask("SET", "k", "v");
    rig.resetCalls();
    expect(String(await rig.redis.command("GET", "k"))).toBe("v");
    expect(rig.calls).toEqual([]);
  });

  it("can stop and start while clients are connected, twice over", async () => {
    rig = await startRig(kind);
    await rig.ask("PING");
    await rig.redis.stop();
    await rig.redis.stop();
    await rig.redis.start();
    await rig.redis.start();
    expect(await rig.ask("PING")).toBe("PONG");
  });

  it("the endpoint alone can go away and come back, at the same address", async () => {
    rig = await startRig(kind);
    await rig.ask("SET", "k", "v");
    await rig.stopEndpoint();
    await expect(rig.post("/", ["GET", "k"])).rejects.toThrow(TypeError);
    await rig.startEndpoint();
    expect(await rig.ask("GET", "k")).toBe("v");
  });
});

describe.runIf(hasRedisServer)("a redis-server of our own", () => {
  it("keeps its data over an orderly stop, and loses it when killed", async () => {
    rig = await startRig("required");
    const { redis } = rig;
    await rig.ask("SET", "k", "stopped");
    await redis.stop();
    await redis.start();
    expect(await rig.ask("GET", "k")).toBe("stopped");
    await rig.ask("SET", "k", "killed");
    await redis.kill();
    await redis.start();
    expect(await rig.ask("GET", "k"), "nor does the earlier value return").toBeNull();
    await rig.ask("SET", "k", "dropped");
    await redis.stop();
    await redis.start({ keepData: false });
    expect(await rig.ask("GET", "k")).toBeNull();
  });

  it("fails what was under way, and nothing else", async () => {
    rig = await startRig("required");
    const { pid } = rig.redis;
    if (pid === undefined) throw new Error("it runs");
    process.kill(pid, "SIGSTOP");
    const underWay = rig.post("/", ["INCR", "k"]);
    while (rig.calls.length === 0) await new Promise(setImmediate);
    await rig.redis.kill();
    expect(await underWay).toMatchObject(gone);
    await rig.redis.start();
    expect(await rig.ask("INCR", "k")).toBe(1);
  });

  it("names its process while it runs", async () => {
    rig = await startRig("required");
    const { redis } = rig;
    expect(String(await redis.command("INFO", "server"))).toContain(`process_id:${redis.pid}\r\n`);
    await redis.kill();
    expect(redis.pid).toBeUndefined();
  });
});
