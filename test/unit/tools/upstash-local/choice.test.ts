import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { startUpstashLocal } from "../../../../src/tools/upstash-local/index.ts";
import { hasRedisServer, kinds, startHarness } from "../../../support/upstash-local.ts";

/** Whether anything accepts a connection there. */
async function listens(port: number, host: string): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** An address of this machine that is not 127.0.0.1. */
const otherAddress =
  Object.values(networkInterfaces())
    .flat()
    .find((each) => each?.family === "IPv4" && !each.internal)?.address ??
  (process.platform === "linux" ? "127.0.0.2" : undefined);

describe.each(kinds)("what listens (redis: %s)", (kind) => {
  it.skipIf(otherAddress === undefined)(
    "listens on 127.0.0.1 only, Redis as well as the endpoint",
    async () => {
      const harness = await startHarness(kind);
      try {
        for (const port of [harness.redis.port, Number(new URL(harness.url).port)]) {
          expect(await listens(port, "127.0.0.1")).toBe(true);
          expect(await listens(port, otherAddress ?? "")).toBe(false);
        }
      } finally {
        await harness.stop();
      }
    },
  );

  it("leaves nothing behind when the port is taken, or when it is stopped", async () => {
    const harness = await startHarness(kind);
    const port = Number(new URL(harness.url).port);
    await expect(startUpstashLocal({ redis: kind, port })).rejects.toThrow("EADDRINUSE");
    await harness.stop();
    expect(await listens(port, "127.0.0.1")).toBe(false);
    expect(await listens(harness.redis.port, "127.0.0.1")).toBe(false);
  });
});

describe("which Redis stands behind the endpoint", () => {
  it("settles for the embedded one when there is no other, unless a real one is required", async () => {
    const env = { PATH: "/nowhere" };
    const upstash = await startUpstashLocal({ env });
    expect(upstash.redis.kind).toBe("embedded");
    await upstash.stop();
    await expect(startUpstashLocal({ env, redis: "required" })).rejects.toMatchObject({
      code: "redis-choice",
      message: expect.stringContaining("no redis-server on PATH") as string,
    });
  });

  it.each([
    "redis://redis.example.com:6379",
    "redis://10.0.0.1:6379",
    "redis://127.0.0.1.example.com:6379",
    "rediss://127.0.0.1:6379",
    "127.0.0.1:6379",
    "nonsense",
  ])("refuses LOCAL_REDIS_URL=%s, for it is not on this machine", async (url) => {
    await expect(startUpstashLocal({ env: { LOCAL_REDIS_URL: url } })).rejects.toMatchObject({
      code: "redis-choice",
      message: expect.stringContaining("redis://127.0.0.1:6379") as string,
    });
  });

  it.runIf(hasRedisServer)(
    "uses the Redis at LOCAL_REDIS_URL, its password and its database, and never stops it",
    async () => {
      const owner = await startHarness("required");
      try {
        await owner.redis.command("CONFIG", "SET", "requirepass", "p@ss");
        const url = `redis://:p%40ss@localhost:${owner.redis.port}/3`;
        const upstash = await startUpstashLocal({ env: { LOCAL_REDIS_URL: url } });
        expect(upstash.redis.kind).toBe("external");
        await expect(upstash.redis.kill()).rejects.toMatchObject({ code: "redis-choice" });
        const response = await fetch(upstash.url, {
          method: "POST",
          headers: { authorization: `Bearer ${upstash.token}` },
          body: '["SET","k","v"]',
        });
        expect(await response.json()).toEqual({ result: "OK" });
        expect(String(await upstash.redis.command("INFO", "keyspace"))).toContain("db3:keys=1");
        await upstash.stop();
        expect(await listens(owner.redis.port, "127.0.0.1")).toBe(true);

        const wrong = url.replace("p%40ss", "secret-guess");
        const refused = startUpstashLocal({ env: { LOCAL_REDIS_URL: wrong } });
        await expect(refused).rejects.toMatchObject({
          code: "redis-choice",
          message: expect.not.stringContaining("secret-guess") as string,
        });
      } finally {
        await owner.stop();
      }
      await expect(
        startUpstashLocal({ env: { LOCAL_REDIS_URL: `redis://127.0.0.1:${owner.redis.port}` } }),
        "when nothing listens there",
      ).rejects.toMatchObject({ message: expect.stringContaining("No Redis answers") as string });
    },
  );
});

describe("npm run upstash", () => {
  const run = (...args: string[]) =>
    spawn(process.execPath, ["src/tools/upstash-local/main.ts", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });

  it.each(["SIGINT", "SIGTERM"] as const)("prints where it is, and %s stops all of it", async (signal) => {
    const child = run("--port", "0", "--token", "a-token");
    const exited = once(child, "exit");
    let said = "";
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      said += chunk.toString();
      if (said.includes("UPSTASH_REDIS_REST_TOKEN=a-token\n")) break;
    }
    const url = /^UPSTASH_REDIS_REST_URL=(.*)$/m.exec(said)?.[1] ?? "";
    const redisPort = Number(/^Behind it: \S+ on port (\d+)$/m.exec(said)?.[1]);
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: "Bearer a-token" },
      body: '["PING"]',
    });
    expect(await response.json()).toEqual({ result: "PONG" });
    child.kill(signal);
    expect(await exited).toEqual([0, null]);
    expect(await listens(redisPort, "127.0.0.1")).toBe(false);
  });

  it.each([
    ["--port", "many"],
    ["--redis", "mysql"],
  ])("says what is wrong with %s %s", async (...args) => {
    const child = run(...args);
    const exited = once(child, "exit");
    let said = "";
    for await (const chunk of child.stderr as AsyncIterable<Buffer>) said += chunk.toString();
    expect(said).toContain(args.join(" ").split(" ")[0]);
    expect(await exited).toEqual([1, null]);
  });
});
