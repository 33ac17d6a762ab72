import { createHash } from "node:crypto";
import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { startUpstashLocal, type UpstashLocal } from "../../src/upstash-local/index.ts";

const kinds =
  inject("redisKind") === "redis-server" ? (["auto", "embedded"] as const) : (["embedded"] as const);

describe.each(kinds)("the local Upstash endpoint over Redis (%s)", (kind) => {
  let upstash: UpstashLocal;
  beforeAll(async () => {
    upstash = await startUpstashLocal({ redis: kind });
  });
  afterAll(() => upstash.stop());

  async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${upstash.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${upstash.token}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as unknown, headers: response.headers };
  }
  const base64 = { "upstash-encoding": "base64" };
  const encoded = (text: string | Buffer) => Buffer.from(text).toString("base64");

  it("serves one command at /, several at /pipeline, and a transaction at /multi-exec", async () => {
    expect(await post("/", ["SET", "p:a", "1"])).toMatchObject({ status: 200, body: { result: "OK" } });
    expect(
      (
        await post("/pipeline", [
          ["GET", "p:a"],
          ["INCR", "p:a"],
        ])
      ).body,
    ).toEqual([{ result: "1" }, { result: 2 }]);
    expect(
      (
        await post("/multi-exec", [
          ["INCR", "p:a"],
          ["GET", "p:a"],
        ])
      ).body,
    ).toEqual([{ result: 3 }, { result: "3" }]);
  });

  it("checks the token on every route before anything runs", async () => {
    for (const path of ["/", "/pipeline", "/multi-exec", "/nowhere"]) {
      const refused = await post(path, path === "/" ? ["SET", "p:auth", "1"] : [["SET", "p:auth", "1"]], {
        authorization: "Bearer wrong",
      });
      expect(refused, path).toMatchObject({ status: 401, body: { error: expect.any(String) as string } });
    }
    expect((await post("/", ["GET", "p:auth"])).body).toEqual({ result: null });
  });

  it("answers 400 for a body that is no command", async () => {
    for (const [path, body] of [
      ["/", "{"],
      ["/", "[]"],
      ["/", '"GET"'],
      ["/pipeline", "[]"],
      ["/pipeline", '["GET","a"]'],
      ["/pipeline", "[[]]"],
    ] as const) {
      expect(await post(path, body), `${path} ${body}`).toMatchObject({
        status: 400,
        body: { error: expect.any(String) as string },
      });
    }
  });

  it("a command's error is 400 at /, and stays with its item in a pipeline", async () => {
    await post("/", ["SET", "p:text", "abc"]);
    expect(await post("/", ["INCR", "p:text"])).toMatchObject({
      status: 400,
      body: { error: expect.stringContaining("ERR") as string },
    });
    const { status, body } = await post("/pipeline", [
      ["INCR", "p:text"],
      ["GET", "p:text"],
    ]);
    expect(status).toBe(200);
    expect(body).toEqual([{ error: expect.stringContaining("not an integer") as string }, { result: "abc" }]);
  });

  it("encodes every string in base64 when asked, but a bare OK, integers and null", async () => {
    await post("/", ["SET", "p:ok", "OK"]);
    await post("/", ["RPUSH", "p:list", "OK", "ünï"]);
    const { body } = await post(
      "/pipeline",
      [
        ["SET", "p:x", "1"],
        ["GET", "p:ok"],
        ["LRANGE", "p:list", 0, -1],
        ["GET", "p:none"],
        ["STRLEN", "p:ok"],
      ],
      base64,
    );
    expect(body).toEqual([
      { result: "OK" },
      { result: encoded("OK") },
      { result: [encoded("OK"), encoded("ünï")] },
      { result: null },
      { result: 2 },
    ]);
  });

  it("passes large JSON numbers as exact decimals", async () => {
    await post("/", ["SET", "p:n", 1_000_000]);
    await post("/", ["SET", "p:ms", 1_764_000_000_123]);
    await post("/", ["SET", "p:big", 1e21]);
    expect((await post("/", ["MGET", "p:n", "p:ms", "p:big"])).body).toEqual({
      result: ["1000000", "1764000000123", "1000000000000000000000"],
    });
    expect((await post("/", ["SET", "p:ttl", "v", "EX", 2_592_000])).status).toBe(200);
  });

  it("takes Upstash's key-locking flag out, and knows the script by the SHA-1 of what was written", async () => {
    const source = "#!lua flags=allow-key-locking\nreturn {redis.call('INCR', KEYS[1]), ARGV[1]}";
    const sha = createHash("sha1").update(source).digest("hex");
    expect(await post("/", ["EVALSHA", sha, 1, "p:s", "a"])).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^NOSCRIPT/) as string },
    });
    expect((await post("/", ["EVAL", source, 1, "p:s", "a"])).body).toEqual({ result: [1, "a"] });
    expect((await post("/", ["EVALSHA", sha, 1, "p:s", "b"])).body).toEqual({ result: [2, "b"] });
    expect((await post("/", ["SCRIPT", "LOAD", source])).body).toEqual({ result: sha });
    expect((await post("/", ["SCRIPT", "EXISTS", sha])).body).toEqual({ result: [1] });
    await post("/", ["SCRIPT", "FLUSH"]);
    expect(
      (await post("/", ["EVALSHA", sha, 1, "p:s", "c"])).status,
      "a flushed script is NOSCRIPT again",
    ).toBe(400);
  });

  it("gives a sync token back and ignores telemetry headers", async () => {
    const { headers } = await post("/", ["PING"], {
      "upstash-sync-token": "abc",
      "upstash-telemetry-sdk": "x",
    });
    expect(headers.get("upstash-sync-token")).toBeTruthy();
  });

  it("runs @upstash/ratelimit unmodified with the SDK's defaults, all algorithms, one EVALSHA a call", async () => {
    const redis = new Redis({ url: upstash.url, token: upstash.token });
    const algorithms = {
      fixed: Ratelimit.fixedWindow(3, "60 s"),
      sliding: Ratelimit.slidingWindow(3, "60 s"),
      bucket: Ratelimit.tokenBucket(1, "60 s", 3),
      cached: Ratelimit.cachedFixedWindow(3, "60 s"),
    };
    for (const [name, limiter] of Object.entries(algorithms)) {
      const ratelimit = new Ratelimit({ redis, limiter, prefix: `rl:${name}:${kind}` });
      const verdicts: boolean[] = [];
      for (let i = 0; i < 4; i += 1) verdicts.push((await ratelimit.limit("me")).success);
      expect(verdicts, name).toEqual([true, true, true, false]);
    }
    const sliding = new Ratelimit({
      redis,
      limiter: algorithms.sliding,
      prefix: `rl:again:${kind}`,
      ephemeralCache: false,
    });
    await sliding.limit("me");
    upstash.resetCalls();
    await sliding.limit("me");
    expect(
      upstash.calls.map((call) => call.commands.map(([command]) => String(command).toLowerCase())),
    ).toEqual([["evalsha"]]);
    expect((await sliding.getRemaining("me")).remaining).toBe(1);
    await sliding.resetUsedTokens("me");
    expect((await sliding.getRemaining("me")).remaining).toBe(3);
  });

  it("keeps a transaction apart from other requests", async () => {
    const mixed = Array.from({ length: 40 }, (_, i) =>
      i % 2 === 0
        ? post("/multi-exec", [
            ["INCR", "p:tx"],
            ["INCR", "p:tx"],
          ])
        : post("/", ["INCR", "p:tx"]),
    );
    for (const { body } of await Promise.all(mixed)) {
      if (!Array.isArray(body)) continue;
      const [first, second] = body as { result: number }[];
      expect((second?.result ?? 0) - (first?.result ?? 0), "nothing ran inside the transaction").toBe(1);
    }
    expect((await post("/multi-exec", [["SET", "p:tx", "1"], ["NOSUCHCOMMAND"]])).status).toBe(400);
  });
});

describe.runIf(kinds.length === 2)("over a redis-server that dies", () => {
  it("answers 500 at once while Redis is gone, and serves again when it is back", async () => {
    const upstash = await startUpstashLocal({ redis: "auto" });
    const ask = async (...command: unknown[]) => {
      const response = await fetch(upstash.url, {
        method: "POST",
        headers: { authorization: `Bearer ${upstash.token}` },
        body: JSON.stringify(command),
      });
      return { status: response.status, body: (await response.json()) as unknown };
    };
    try {
      await ask("SET", "k", "kept");
      await upstash.redis.kill();
      expect(await ask("GET", "k")).toMatchObject({ status: 500 });
      await upstash.redis.start();
      expect(await ask("GET", "k"), "a killed Redis without persistence is empty").toEqual({
        status: 200,
        body: { result: null },
      });
      await ask("SET", "k", "kept");
      await upstash.redis.stop();
      expect((await ask("GET", "k")).status).toBe(500);
      await upstash.redis.start();
      expect((await ask("GET", "k")).body, "stopped in order, it keeps its data").toEqual({ result: "kept" });
    } finally {
      await upstash.stop();
    }
  });
});
