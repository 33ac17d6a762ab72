import { describe, expect, it } from "vitest";
import type { LateWrite } from "../../../src/session/d1-session-store.ts";
import { DatabaseOutbox } from "../../../src/session/database-outbox.ts";
import { StoreError } from "../../../src/store/errors.ts";
import { testPlatform } from "../../support/platform.ts";

const end = (id: string): LateWrite => ({ kind: "end", id });

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
  it("are written in order, twenty with one call", async () => {
    const { outbox, written } = open();
    for (let each = 0; each < 45; each += 1) outbox.put(end(`s${each}`));
    await outbox.run();
    expect(written.map(({ length }) => length)).toEqual([20, 20, 5]);
    expect(written.flat()).toEqual(Array.from({ length: 45 }, (_, each) => `s${each}`));
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
    expect(written.flat().sort()).toEqual(["a", "b"]);
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
