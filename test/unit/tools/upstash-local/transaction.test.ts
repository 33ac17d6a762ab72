import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, kinds, startHarness } from "../../../support/upstash-local.ts";

describe.each(kinds)("many callers over one Redis (redis: %s)", (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(kind);
  });
  afterAll(() => harness.stop());

  it("lets nothing into a transaction", async () => {
    const rounds = Array.from({ length: 60 }, (_, i) =>
      i % 2 === 0
        ? harness.post("/multi-exec", [
            ["INCR", "tx"],
            ["INCR", "tx"],
            ["INCR", "tx"],
          ])
        : harness.post(i % 3 ? "/" : "/pipeline", i % 3 ? ["INCR", "tx"] : [["INCR", "tx"]]),
    );
    const replies = await Promise.all(rounds);
    const transactions = replies
      .filter((_, i) => i % 2 === 0)
      .map(({ body }) => body as { result: number }[]);
    expect(transactions).toHaveLength(30);
    for (const results of transactions) {
      const first = results[0]?.result ?? Number.NaN;
      expect(results).toEqual([{ result: first }, { result: first + 1 }, { result: first + 2 }]);
    }
    expect(await harness.ask("GET", "tx")).toBe("120");
  });

  it("discards a transaction whole when Redis refuses one of its commands", async () => {
    expect(await harness.post("/multi-exec", [["SET", "discarded", "1"], ["NOSUCHCOMMAND"]])).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/unknown command/) as string },
    });
    expect(await harness.ask("GET", "discarded")).toBeNull();
  });

  it("leaves an error of the running transaction with its item", async () => {
    await harness.ask("SET", "word", "abc");
    const { status, body } = await harness.post("/multi-exec", [
      ["INCR", "word"],
      ["SET", "kept", "1"],
    ]);
    expect(status).toBe(200);
    expect(body).toEqual([{ error: expect.stringMatching(/^ERR/) as string }, { result: "OK" }]);
  });

  it("lets no transaction be ended from inside", async () => {
    for (const inner of ["EXEC", "discard", "MULTI", "WATCH"]) {
      const ended = await harness.post("/multi-exec", [
        ["SET", "inside", "1"],
        [inner],
        ["SET", "inside", "2"],
      ]);
      expect(ended, inner).toMatchObject({
        status: 400,
        body: { error: expect.stringMatching(/not available/) as string },
      });
    }
    expect(await harness.ask("GET", "inside")).toBeNull();
  });

  it.each([
    ["HELLO", "3"],
    ["SELECT", "1"],
    ["MULTI"],
    ["subscribe", "channel"],
    ["MONITOR"],
    ["QUIT"],
    ["CLIENT", "REPLY", "OFF"],
    ["BLPOP", "nothing", "0"],
    ["XREAD", "block", "0", "STREAMS", "nothing", "$"],
    ["SHUTDOWN", "NOSAVE"],
  ])("never sends %s, which would change or block the connection of all", async (...command) => {
    const { status, body } = await harness.post("/pipeline", [
      ["SET", "mine", "1"],
      command,
      ["GET", "mine"],
    ]);
    expect(status).toBe(200);
    expect(body).toEqual([
      { result: "OK" },
      { error: expect.stringMatching(/^ERR Command is not available/) as string },
      { result: "1" },
    ]);
    expect(await harness.ask("GET", "mine"), "the next caller's reply").toBe("1");
  });

  it("gives each of many concurrent callers its own reply", async () => {
    const keys = Array.from({ length: 200 }, (_, i) => `own:${i}`);
    await Promise.all(keys.map((key) => harness.ask("SET", key, `value of ${key}`)));
    const values = await Promise.all(keys.map((key) => harness.ask("GET", key)));
    expect(values).toEqual(keys.map((key) => `value of ${key}`));
  });

  it("carries a value that comes in many pieces", async () => {
    const large = "0123456789abcdef".repeat(200_000);
    await harness.ask("SET", "large", large);
    expect(await harness.ask("GET", "large")).toBe(large);
  });
});
