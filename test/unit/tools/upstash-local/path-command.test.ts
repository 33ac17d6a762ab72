import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { base64, type Harness, inBase64, kinds, startHarness } from "../../../support/upstash-local.ts";

describe.each(kinds)("commands in the path (redis: %s)", (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(kind);
  });
  afterAll(() => harness.stop());

  async function send(method: string, target: string, body?: string | Uint8Array<ArrayBuffer>) {
    const headers = { authorization: `Bearer ${harness.token}` };
    const response = await fetch(`${harness.url}${target}`, { method, headers, ...(body && { body }) });
    const text = await response.text();
    return { status: response.status, reply: text === "" ? null : (JSON.parse(text) as unknown) };
  }

  it.each<[string, string, string | undefined, string[]]>([
    ["GET", "/set/foo/bar", undefined, ["set", "foo", "bar"]],
    ["GET", "/set/foo/bar/EX/100", undefined, ["set", "foo", "bar", "EX", "100"]],
    ["POST", "/set/foo", "a value / with ?", ["set", "foo", "a value / with ?"]],
    ["POST", "/set/foo?EX=100&NX=", "v", ["set", "foo", "v", "EX", "100", "NX"]],
    ["PUT", "/set/foo", '{"a":1}', ["set", "foo", '{"a":1}']],
    ["HEAD", "/get/foo", undefined, ["get", "foo"]],
    ["POST", "/get/foo", undefined, ["get", "foo"]],
    ["GET", "/set/a%2Fb%3F/%C3%BC+%20", undefined, ["set", "a/b?", "ü+ "]],
    ["GET", "/set/empty/", undefined, ["set", "empty", ""]],
    ["GET", "/get/a/../b", undefined, ["get", "b"]],
    ["GET", "/get/foo?_token=other", undefined, ["get", "foo"]],
  ])("%s %s is one command", async (method, target, body, command) => {
    harness.resetCalls();
    await send(method, target, body);
    expect(harness.calls.map(({ commands }) => commands)).toEqual([[command]]);
  });

  it("answers a command in the path as one in the body", async () => {
    expect(await send("GET", "/set/n/1")).toEqual({ status: 200, reply: { result: "OK" } });
    expect(await send("GET", "/incr/n")).toEqual({ status: 200, reply: { result: 2 } });
    expect(await send("HEAD", "/incr/n")).toEqual({ status: 200, reply: null });
    expect(await send("GET", "/get/n")).toEqual({ status: 200, reply: { result: "3" } });
    expect(await send("GET", "/lpush/n/a")).toMatchObject({ status: 400 });
    expect(await send("GET", "/nowhere")).toMatchObject({ status: 400 });
    expect(await send("GET", "/get/%zz")).toMatchObject({ status: 400 });
    expect(await send("GET", "/subscribe/channel")).toMatchObject({ status: 400 });
  });

  it("stores a body byte for byte, also where it is no text", async () => {
    const bytes = new Uint8Array([255, 0, 13, 10, 128, 36]);
    expect(await send("POST", "/set/bytes", bytes)).toEqual({ status: 200, reply: { result: "OK" } });
    expect((await harness.post("/", ["GET", "bytes"], inBase64)).body).toEqual({
      result: base64(Buffer.from(bytes)),
    });
  });

  it.each([
    ["GET", "/"],
    ["HEAD", "/pipeline"],
    ["GET", "/multi-exec"],
    ["DELETE", "/get/foo"],
    ["PATCH", "/"],
  ])("answers 405 for %s %s", async (method, target) => {
    expect((await send(method, target)).status).toBe(405);
  });

  it("takes the token from the query where there is no Authorization, at every path", async () => {
    const query = `_token=${encodeURIComponent(harness.token)}`;
    for (const [target, body] of [
      ["/get/n?", undefined],
      ["/?", '["PING"]'],
      ["/pipeline?", '[["PING"]]'],
      ["/multi-exec?", '[["PING"]]'],
    ] as const) {
      const init = body === undefined ? {} : { method: "POST", body };
      expect((await fetch(`${harness.url}${target}${query}`, init)).status, target).toBe(200);
      expect((await fetch(`${harness.url}${target}_token=wrong`, init)).status, target).toBe(401);
      const headers = { authorization: "Bearer wrong" };
      expect((await fetch(`${harness.url}${target}${query}`, { ...init, headers })).status, target).toBe(401);
    }
  });

  it("gives a sync token after every reply: a script's, a pipeline's, an error's", async () => {
    for (const [path, body] of [
      ["/", ["EVAL", "return 1", 0]],
      ["/", ["NOSUCHCOMMAND"]],
      ["/pipeline", [["EVALSHA", "f".repeat(40), 0]]],
      ["/multi-exec", [["SET", "x", "1"]]],
    ] as const) {
      expect((await harness.post(path, body)).headers.get("upstash-sync-token"), path).toMatch(/./);
    }
    const redis = new Redis({ url: harness.url, token: harness.token, enableTelemetry: false });
    expect(await redis.createScript<number>("return 7").exec([], [])).toBe(7);
  });
});
