import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { Outbox } from "../../../src/store/outbox.ts";
import { Store } from "../../../src/store/store.ts";
import { testPlatform } from "../../support/platform.ts";

/** A store that accepts what `takes` says, the names that arrived, and how many commands each batch had. */
function outboxWith(takes: (name: string) => boolean, sizeOf?: () => number) {
  const arrived: string[] = [];
  const batches: number[] = [];
  const platform = testPlatform({
    async fetch(_input, init) {
      const commands = JSON.parse(String(init?.body)) as string[][];
      batches.push(commands.length);
      return Response.json(
        commands.map(([, name = ""]) => {
          if (!takes(name)) return { error: "OOM command not allowed" };
          arrived.push(name);
          return { result: "OK" };
        }),
      );
    },
  });
  const connection = { url: "https://store.example", token: "a-token-of-the-test" };
  const store = new Store({ connection, platform, events: createEvents({ platform, write: () => {} }) });
  const outbox = new Outbox<string>({
    platform,
    entries: 1000,
    bytes: 8 * 2 ** 20,
    ...(sizeOf && { sizeOf }),
    write: (batch, item, name) => batch.queue((pipeline) => pipeline.set(name, item, { px: 1000 })),
  });
  store.onRecovery((batch) => outbox.replay(batch));
  return { arrived, batches, platform, store, outbox };
}

describe("an outbox", () => {
  it("sends a hundred items a batch, the oldest first", async () => {
    const { outbox, store, platform, arrived, batches } = outboxWith(() => true);
    const names = Array.from({ length: 250 }, (_, n) => `item-${n}`);
    for (const name of names) outbox.put(name, "x", platform.now() + 60_000);
    store.markDue();
    await store.maintenance();
    expect(batches).toEqual([100, 100, 50]);
    expect(arrived).toEqual(names);
    expect(outbox.size).toBe(0);
  });

  it("sends no more than 256 KiB a batch, and one item whatever its size", async () => {
    const { outbox, store, platform, batches } = outboxWith(
      () => true,
      () => 200_000,
    );
    for (let n = 0; n < 3; n += 1) outbox.put(`item-${n}`, "x", platform.now() + 60_000);
    store.markDue();
    await store.maintenance();
    expect(batches).toEqual([1, 1, 1]);
  });

  it("keeps what was refused, behind everything else", async () => {
    let full = true;
    const { outbox, store, platform, arrived } = outboxWith((name) => !full || !name.startsWith("bad"));
    for (let n = 0; n < 100; n += 1) outbox.put(`bad-${n}`, "x", platform.now() + 60_000);
    for (let n = 0; n < 100; n += 1) outbox.put(`good-${n}`, "x", platform.now() + 60_000);
    store.markDue();
    await store.maintenance();
    expect(arrived, "the first hundred were refused").toEqual([]);
    platform.advance(1000);
    await store.maintenance();
    expect(arrived, "and do not block the second hundred").toHaveLength(100);
    expect(outbox.size).toBe(100);
    full = false;
    platform.advance(8000);
    await store.maintenance();
    expect(outbox.size).toBe(0);
    expect(arrived).toHaveLength(200);
  });

  it("keeps an item that was replaced while the old one was on its way", async () => {
    const { outbox, store, platform } = outboxWith(() => true);
    outbox.put("a", "old", platform.now() + 60_000);
    const batch = store.batch();
    const replayed = outbox.replay(batch);
    outbox.put("a", "new", platform.now() + 60_000);
    await batch.send();
    expect(await replayed, "there is more").toBe("more");
    expect(outbox.get("a")).toBe("new");
  });

  it("forgets what has expired", () => {
    const { outbox, platform } = outboxWith(() => true);
    outbox.put("a", "x", platform.now() + 1000);
    platform.advance(1000);
    expect([...outbox]).toEqual([]);
    expect(outbox.get("a")).toBeUndefined();
  });

  it("reports a refusal when its write rejects a reply", async () => {
    const platform = testPlatform({ fetch: async () => Response.json([{ result: "no number" }]) });
    const connection = { url: "https://store.example", token: "a-token-of-the-test" };
    const store = new Store({ connection, platform, events: createEvents({ platform, write: () => {} }) });
    const outbox = new Outbox<string>({
      platform,
      entries: 10,
      async write(batch, item, name) {
        const reply = await batch.queue((pipeline) => pipeline.set(name, item, { px: 1000 }));
        if (typeof reply !== "number") throw new Error("malformed");
      },
    });
    store.onRecovery((batch) => outbox.replay(batch));
    outbox.put("a", "x", platform.now() + 60_000);
    store.markDue();
    await store.maintenance();
    expect(outbox.size).toBe(1);
    expect(store.maintenance(), "not at once").toBeNull();
    platform.advance(1000);
    expect(store.maintenance(), "but after a pause").not.toBeNull();
  });
});
