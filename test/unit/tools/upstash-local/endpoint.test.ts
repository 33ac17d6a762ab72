import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base64, type Harness, inBase64, kinds, startHarness } from "../../../support/upstash-local.ts";

const anError = (text: RegExp) => ({ error: expect.stringMatching(text) as string });

describe.each(kinds)("Upstash's REST protocol (redis: %s)", (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(kind);
  });
  afterAll(() => harness.stop());

  it("serves one command at /, several at /pipeline, and a transaction at /multi-exec", async () => {
    expect(await harness.post("/", ["SET", "a", "1"])).toMatchObject({ status: 200, body: { result: "OK" } });
    const pipeline = await harness.post("/pipeline", [
      ["GET", "a"],
      ["INCR", "a"],
    ]);
    expect(pipeline).toMatchObject({ status: 200, body: [{ result: "1" }, { result: 2 }] });
    const transaction = await harness.post("/multi-exec", [
      ["INCR", "a"],
      ["GET", "a"],
    ]);
    expect(transaction).toMatchObject({ status: 200, body: [{ result: 3 }, { result: "3" }] });
  });

  it("checks the token on every route before anything runs", async () => {
    for (const authorization of [
      "Bearer wrong",
      "Bearer ",
      harness.token,
      `Basic ${harness.token}`,
      `Bearer ${harness.token}x`,
    ]) {
      for (const path of ["/", "/pipeline", "/multi-exec", "/nowhere"]) {
        const set = ["SET", "unauthorised", "1"];
        const refused = await harness.post(path, path === "/" ? set : [set], { authorization });
        expect(refused, `${path} with ${authorization}`).toMatchObject({ status: 401, body: anError(/./) });
      }
    }
    const nothing = await fetch(harness.url, { method: "POST", body: '["SET","unauthorised","1"]' });
    expect(nothing.status).toBe(401);
    expect(await harness.ask("GET", "unauthorised")).toBeNull();
  });

  it.each([
    ["/", "{"],
    ["/", ""],
    ["/", "[]"],
    ["/", "null"],
    ["/", '"GET"'],
    ["/", '{"0":"GET"}'],
    ["/pipeline", "[]"],
    ["/pipeline", '["GET","a"]'],
    ["/pipeline", '[["GET","a"],"GET"]'],
    ["/pipeline", "[[]]"],
    ["/multi-exec", "[]"],
    ["/multi-exec", "[{}]"],
  ])("answers 400 at %s for the body %s", async (path, body) => {
    expect(await harness.post(path, body)).toMatchObject({ status: 400, body: anError(/^ERR/) });
  });

  it("runs nothing of a pipeline whose body is malformed", async () => {
    await harness.post("/pipeline", '[["SET","half","1"],"GET"]');
    expect(await harness.ask("GET", "half")).toBeNull();
  });

  it("refuses a body over 10 MB, and goes on serving", async () => {
    const large = await harness.post("/", ["SET", "large", "x".repeat(10 * 1024 * 1024)]);
    expect(large).toMatchObject({ status: 413, body: anError(/size/) });
    expect(await harness.ask("PING")).toBe("PONG");
  });

  it("makes a command's error 400 at /, and leaves it with its item in a pipeline", async () => {
    await harness.ask("SET", "text", "abc");
    expect(await harness.post("/", ["INCR", "text"])).toMatchObject({
      status: 400,
      body: anError(/not an integer/),
    });
    expect(await harness.post("/", ["LPUSH", "text", "a"])).toMatchObject({
      status: 400,
      body: anError(/^WRONGTYPE/),
    });
    expect(await harness.post("/", ["NOSUCHCOMMAND"])).toMatchObject({
      status: 400,
      body: anError(/^ERR unknown/),
    });
    const mixed = await harness.post("/pipeline", [
      ["INCR", "text"],
      ["GET", "text"],
      ["NOSUCHCOMMAND"],
      ["INCR", "after"],
    ]);
    expect(mixed.status).toBe(200);
    expect(mixed.body).toEqual([
      anError(/not an integer/),
      { result: "abc" },
      anError(/^ERR unknown/),
      { result: 1 },
    ]);
  });

  it("encodes every string in base64 when asked, but a bare OK, integers, null and errors", async () => {
    await harness.ask("SET", "ok", "OK");
    await harness.ask("RPUSH", "list", "OK", "ünï", "");
    const { body } = await harness.post(
      "/pipeline",
      [
        ["SET", "x", "1"],
        ["PING"],
        ["GET", "ok"],
        ["LRANGE", "list", 0, -1],
        ["MGET", "ok", "none"],
        ["GET", "none"],
        ["STRLEN", "ok"],
        ["INCR", "ok"],
        ["EVAL", "return {'OK', {'OK', 1}, redis.status_reply('OK')}", 0],
      ],
      inBase64,
    );
    expect(body).toEqual([
      { result: "OK" },
      { result: base64("PONG") },
      { result: base64("OK") },
      { result: [base64("OK"), base64("ünï"), ""] },
      { result: [base64("OK"), null] },
      { result: null },
      { result: 2 },
      anError(/^ERR/),
      { result: [base64("OK"), [base64("OK"), 1], base64("OK")] },
    ]);
    const transaction = await harness.post(
      "/multi-exec",
      [
        ["SET", "x", "1"],
        ["GET", "ok"],
      ],
      inBase64,
    );
    expect(transaction.body).toEqual([{ result: "OK" }, { result: base64("OK") }]);
    expect((await harness.post("/", ["SET", "x", "1"], inBase64)).body).toEqual({ result: "OK" });
  });

  it("gives plain UTF-8 without the header", async () => {
    const text = 'naïve "quotes" \n \u0000 😀 日本';
    await harness.ask("SET", "text", text);
    expect(await harness.ask("GET", "text")).toBe(text);
  });

  it("is byte-safe in base64: bytes that are no text arrive as they are", async () => {
    const { body } = await harness.post("/", ["EVAL", "return '\\255\\0\\r\\n\\128$5'", 0], inBase64);
    expect(body).toEqual({ result: base64(Buffer.from([255, 0, 13, 10, 128, 0x24, 0x35])) });
  });

  it.each([
    ["1000000", "1000000"],
    ["1e6", "1000000"],
    ["1E+06", "1000000"],
    ["2.592e+06", "2592000"],
    ["1764000000123", "1764000000123"],
    ["12345678901234567891", "12345678901234567891"],
    ["1e21", "1000000000000000000000"],
    ["1e-7", "0.0000001"],
    ["-1.50e-1", "-0.15"],
    ["0.1", "0.1"],
    ["-0", "-0"],
    ["0e5", "0"],
    ["1e999999999", "1e999999999"],
  ])("hands the JSON number %s to Redis as %s", async (number, text) => {
    await harness.post("/", `["SET","number",${number}]`);
    expect(await harness.ask("GET", "number")).toBe(text);
  });

  it("takes a lifetime that a double would print with an exponent", async () => {
    expect(await harness.ask("SET", "ttl", "v", "EX", 2_592_000)).toBe("OK");
    expect(await harness.ask("TTL", "ttl")).toBe(2_592_000);
  });

  it("writes a 64-bit integer reply digit by digit", async () => {
    await harness.ask("SET", "count", "9007199254740992");
    const response = await fetch(harness.url, {
      method: "POST",
      headers: { authorization: `Bearer ${harness.token}` },
      body: '["INCR","count"]',
    });
    expect(await response.text()).toBe('{"result":9007199254740993}');
  });

  it("echoes the sync token, gives one to who has none, and ignores telemetry headers", async () => {
    const telemetry = { "upstash-telemetry-sdk": "x", "upstash-telemetry-runtime": "y" };
    const echoed = await harness.post("/pipeline", [["PING"]], { "upstash-sync-token": "abc", ...telemetry });
    expect(echoed).toMatchObject({ status: 200, body: [{ result: "PONG" }] });
    expect(echoed.headers.get("upstash-sync-token")).toBe("abc");
    const first = await harness.post("/", ["PING"], { "upstash-sync-token": "" });
    expect(first.headers.get("upstash-sync-token")).toMatch(/./);
  });

  it("remembers the calls and their commands, for tests that count", async () => {
    harness.resetCalls();
    await harness.post(
      "/pipeline",
      [
        ["SET", "n", 5],
        ["GET", "n"],
      ],
      { "upstash-sync-token": "abc" },
    );
    await harness.post("/", ["PING"]);
    expect(harness.calls).toEqual([
      {
        path: "/pipeline",
        commands: [
          ["SET", "n", "5"],
          ["GET", "n"],
        ],
        syncToken: "abc",
      },
      { path: "/", commands: [["PING"]], syncToken: undefined },
    ]);
    harness.resetCalls();
    expect(harness.calls).toEqual([]);
  });
});
