import { describe, expect, it } from "vitest";
import { NO_MARK } from "../../../src/identity/session-marks.ts";
import type { LateWrite } from "../../../src/session/d1-session-store.ts";
import { DatabaseOutbox } from "../../../src/session/database-outbox.ts";
import { StoreError } from "../../../src/store/errors.ts";
import { testPlatform } from "../../support/platform.ts";

const end = (id: string): LateWrite => ({ kind: "end", id });
const adopt = (text = "{}"): LateWrite =>
  ({ kind: "adopt", session: { text, record: {} } }) as unknown as LateWrite;
const endUser = { kind: "end user", user: ["u"], mark: NO_MARK } as const;
const endEveryone = (at: number) => ({ kind: "end everyone", at }) as const;

function open({ entries = 100 } = {}) {
  const platform = testPlatform();
  const written: string[][] = [];
  const wire = { refuses: (_ids: string[]) => false };
  const sessionStore = {
    async write(writes: readonly LateWrite[]) {
      const ids = writes.map((write) => (write.kind === "end" ? write.id : write.kind));
      if (wire.refuses(ids)) throw new StoreError("unreachable", "refused");
      written.push(ids);
    },
  };
  const outbox = new DatabaseOutbox({ sessionStore, platform, absoluteSeconds: 3600, entries });
  return { platform, outbox, written, wire };
}

describe("changes that the database is to be told of", () => {
  it("are written in order, six with one call, and the next request's goes on", async () => {
    const { outbox, written } = open();
    for (let each = 0; each < 15; each += 1) outbox.put(end(`s${each}`));
    for (let turn = 0; turn < 3; turn += 1) await outbox.run();
    expect(written.map(({ length }) => length)).toEqual([6, 6, 3]);
    expect(written.flat()).toEqual(Array.from({ length: 15 }, (_, each) => `s${each}`));
    expect(outbox.run()).toBeNull();
  });

  it("wait where it fails, and are tried again after a pause", async () => {
    const { platform, outbox, written, wire } = open();
    outbox.put(end("a"), end("b"));
    wire.refuses = () => true;
    await outbox.run();
    expect(outbox.size).toBe(2);
    expect(outbox.run(), "not with each request").toBeNull();
    wire.refuses = () => false;
    platform.advance(5000);
    await outbox.run();
    expect(written, "one by itself at first").toEqual([["a"]]);
    await outbox.run();
    expect(written.flat()).toEqual(["a", "b"]);
    expect(outbox.size).toBe(0);
  });

  it("are not stopped by one that can never be written", async () => {
    const { platform, outbox, written, wire } = open();
    outbox.put(end("bad"), end("a"), end("b"), end("c"));
    wire.refuses = (ids) => ids.includes("bad");
    for (let turn = 0; turn < 8; turn += 1) {
      await outbox.run();
      platform.advance(5000);
    }
    expect(written.flat().sort()).toEqual(["a", "b", "c"]);
    expect(outbox.size).toBe(1);
    platform.advance(2 * 3600 * 1000);
    await outbox.run();
    wire.refuses = () => false;
    platform.advance(5000);
    await outbox.run();
    expect(written.flat(), "nor kept longer than a session lives").not.toContain("bad");
  });

  it("are bounded: beyond that Redis alone has them", async () => {
    const { outbox } = open({ entries: 3 });
    for (let each = 0; each < 10; each += 1) outbox.put(end(`s${each}`));
    expect(outbox.size).toBe(3);
  });

  it.each([
    ["sessions", Array.from({ length: 10 }, () => adopt())],
    ["long sessions", Array.from({ length: 6 }, () => adopt("x".repeat(2 ** 20)))],
    ["ends of single sessions", Array.from({ length: 10 }, (_, each) => end(`s${each}`))],
    ["ends of users", Array.from({ length: 10 }, () => endUser)],
    ["ends of everyone", Array.from({ length: 10 }, (_, each) => endEveryone(each))],
  ])("leave room for ends where there are too many %s", (_, writes) => {
    const { outbox } = open({ entries: 3 });
    outbox.put(...writes);
    const kinds = new Set(writes.map(({ kind }) => kind));
    if (!kinds.has("end")) expect(outbox.put(end("a"))).toBe(true);
    if (!kinds.has("end user")) expect(outbox.put(endUser)).toBe(true);
    expect(outbox.put(endEveryone(99))).toBe(true);
    expect(outbox.size).toBeLessThanOrEqual(3 + 3);
    if (!kinds.has("end everyone")) expect(outbox.put(...writes), "and say where there is none").toBe(false);
  });

  it("are written ends first, whatever came first", async () => {
    const { outbox, written } = open();
    outbox.put(adopt(), end("a"), endUser, adopt(), endEveryone(1), end("b"), endEveryone(2));
    await outbox.run();
    expect(written).toEqual([["end everyone", "end user", "a", "b", "adopt", "adopt"]]);
  });

  it.each([
    ["an end", end("bad")],
    ["a user's end", endUser],
    ["everyone's", endEveryone(1)],
  ] as const)("of another kind are not stopped by %s that can never be written", async (_, bad) => {
    const { platform, outbox, written, wire } = open();
    outbox.put(bad, ...Array.from({ length: 30 }, () => adopt()));
    wire.refuses = (ids) => ids.includes(bad.kind === "end" ? bad.id : bad.kind);
    for (let turn = 0; turn < 10; turn += 1) {
      await outbox.run();
      platform.advance(5000);
    }
    expect(written.flat()).toHaveLength(30);
    expect(outbox.size).toBe(1);
  });

  it("keep an end of everyone's that comes while the one before is written", async () => {
    const { outbox, wire } = open();
    outbox.put(endEveryone(1));
    wire.refuses = () => {
      outbox.put(endEveryone(2));
      wire.refuses = () => false;
      return false;
    };
    await outbox.run();
    expect(outbox.size).toBe(1);
    await outbox.run();
    expect(outbox.size, "both are written").toBe(0);
  });

  it("that come while another request writes are written by their own request, once", async () => {
    const { outbox, written, wire } = open();
    outbox.put(end("a"));
    let second: Promise<void> | null = null;
    wire.refuses = (ids) => {
      if (!ids.includes("a")) return false;
      outbox.put(end("b"));
      second = outbox.run();
      return false;
    };
    await outbox.run();
    await second;
    expect(written.map((ids) => ids.join()).sort()).toEqual(["a", "b"]);
    expect(outbox.size).toBe(0);
  });

  it("are sent again where the request that sent them was ended", async () => {
    const { platform, outbox, written, wire } = open();
    outbox.put(end("a"));
    wire.refuses = () => {
      throw new Error("the invocation has ended");
    };
    await outbox.run()?.catch(() => {});
    wire.refuses = () => false;
    expect(outbox.run()).toBeNull();
    platform.advance(5000);
    await outbox.run();
    expect(written.flat()).toEqual(["a"]);
  });

  it("are written by one request at a time, and a clock that went back delays none", async () => {
    const { platform, outbox } = open();
    outbox.put(end("a"));
    const first = outbox.run();
    expect(outbox.run()).toBeNull();
    await first;
    outbox.put(end("b"));
    platform.advance(-3_600_000);
    expect(outbox.run()).not.toBeNull();
  });
});
