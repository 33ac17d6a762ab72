import { createHash } from "node:crypto";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, kinds, startHarness } from "../../../support/upstash-local.ts";

const SHEBANG = "#!lua flags=allow-key-locking";
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");
const noScript = { status: 400, body: { error: expect.stringMatching(/^NOSCRIPT/) as string } };

describe.each(kinds)("scripts that only Upstash would run (redis: %s)", (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness(kind);
  });
  afterAll(() => harness.stop());

  it.each(["EVAL", "EVAL_RO"])(
    "%s teaches Redis the script by the SHA-1 of what was written",
    async (command) => {
      const source = `${SHEBANG}\nreturn {KEYS[1], ARGV[1], '${command}'}`;
      const bySha = command.replace("EVAL", "EVALSHA");
      expect(await harness.post("/", [bySha, sha1(source), 1, "k", "a"])).toMatchObject(noScript);
      expect(await harness.ask(command, source, 1, "k", "a")).toEqual(["k", "a", command]);
      expect(await harness.ask(bySha, sha1(source), 1, "k", "b")).toEqual(["k", "b", command]);
      expect(await harness.ask(bySha.toLowerCase(), sha1(source).toUpperCase(), 1, "k", "c")).toEqual([
        "k",
        "c",
        command,
      ]);
    },
  );

  it("SCRIPT LOAD answers that SHA-1 too, and SCRIPT EXISTS knows it", async () => {
    const source = `${SHEBANG}\nreturn 'loaded'`;
    expect(await harness.ask("SCRIPT", "EXISTS", sha1(source), sha1("never"))).toEqual([0, 0]);
    expect(await harness.ask("SCRIPT", "LOAD", source)).toBe(sha1(source));
    expect(await harness.ask("SCRIPT", "EXISTS", sha1(source), sha1("never"))).toEqual([1, 0]);
    expect(await harness.ask("EVALSHA", sha1(source), 0)).toBe("loaded");
    const inside = `${SHEBANG}\nreturn 'inside'`;
    const { body } = await harness.post("/multi-exec", [
      ["SCRIPT", "LOAD", inside],
      ["EVALSHA", sha1(inside), 0],
    ]);
    expect(body).toEqual([{ result: sha1(inside) }, { result: "inside" }]);
  });

  it("keeps NOSCRIPT with its item, and runs the neighbours", async () => {
    const { status, body } = await harness.post("/pipeline", [
      ["EVALSHA", sha1("unknown"), 0],
      ["SET", "neighbour", "1"],
      ["EVAL", `${SHEBANG}\nreturn 1`, 0],
      ["EVALSHA", sha1(`${SHEBANG}\nreturn 1`), 0],
    ]);
    expect(status).toBe(200);
    expect(body).toEqual([noScript.body, { result: "OK" }, { result: 1 }, { result: 1 }]);
  });

  it("leaves a script without the flag alone", async () => {
    const plain = "return 'plain'";
    expect(await harness.ask("SCRIPT", "LOAD", plain)).toBe(sha1(plain));
    expect(await harness.ask("EVALSHA", sha1(plain), 0)).toBe("plain");
    const commented = "-- #!lua flags=allow-key-locking\nreturn 'commented'";
    expect(await harness.ask("SCRIPT", "LOAD", commented)).toBe(sha1(commented));
  });

  // The embedded Redis knows no first line of this kind at all.
  it.skipIf(kind === "embedded")(
    "leaves Redis's own flags in force beside the one it takes out",
    async () => {
      const source = "#!lua flags=no-writes,allow-key-locking\nreturn redis.call('SET', KEYS[1], '1')";
      expect(await harness.post("/", ["EVAL", source, 1, "k"])).toMatchObject({
        status: 400,
        body: { error: expect.stringMatching(/Write commands are not allowed/) as string },
      });
      expect(await harness.post("/", ["EVAL", "#!lua flags=no-such-flag\nreturn 1", 0])).toMatchObject({
        status: 400,
        body: { error: expect.stringMatching(/Unexpected flag/) as string },
      });
    },
  );

  it("a flushed script is NOSCRIPT under both names, until it is sent again", async () => {
    const source = `${SHEBANG}\nreturn 'flushed'`;
    await harness.ask("SCRIPT", "LOAD", source);
    await harness.ask("SCRIPT", "FLUSH");
    expect(await harness.post("/", ["EVALSHA", sha1(source), 0])).toMatchObject(noScript);
    expect(await harness.ask("SCRIPT", "EXISTS", sha1(source))).toEqual([0]);
    expect(await harness.ask("EVAL", source, 0)).toBe("flushed");
    expect(await harness.ask("EVALSHA", sha1(source), 0)).toBe("flushed");
  });

  it("after a restart of Redis every script is NOSCRIPT, as with Upstash", async () => {
    const source = `${SHEBANG}\nreturn 'restarted'`;
    await harness.ask("SCRIPT", "LOAD", source);
    await harness.redis.stop();
    await harness.redis.start();
    expect(await harness.post("/", ["EVALSHA", sha1(source), 0])).toMatchObject(noScript);
    expect(await harness.ask("EVAL", source, 0)).toBe("restarted");
  });

  it("serves the SDK's own scripts: NOSCRIPT once, then EVALSHA alone", async () => {
    const redis = new Redis({ url: harness.url, token: harness.token });
    const script = redis.createScript<number>(`${SHEBANG}\nreturn redis.call('INCR', KEYS[1])`);
    harness.resetCalls();
    expect(await script.exec(["sdk:counter"], [])).toBe(1);
    expect(await script.exec(["sdk:counter"], [])).toBe(2);
    const names = harness.calls.flatMap(({ commands }) => commands.map(([name]) => name?.toLowerCase()));
    expect(names).toEqual(["evalsha", "eval", "evalsha"]);
  });
});
