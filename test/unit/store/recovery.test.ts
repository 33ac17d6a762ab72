import { describe, expect, it } from "vitest";
import { ok, storeWith, turn } from "../../support/store.ts";

describe("pending writes", () => {
  it("are replayed batch by batch, twenty at most, and the rest with the next request", async () => {
    const { store, calls } = storeWith((commands) => ok(...commands.map(() => "OK")));
    let left = 25;
    store.onRecovery((batch) => {
      left -= 1;
      batch.queue((pipeline) => pipeline.set("kept", String(left), { px: 1000 }));
      return left > 0;
    });
    store.markDue();
    await store.maintenance();
    expect(calls).toHaveLength(20);
    await store.maintenance();
    expect(calls).toHaveLength(25);
    expect(store.maintenance()).toBeNull();
  });

  it("stay pending when an invocation is ended in the middle of a replay", async () => {
    let hangs = true;
    let ended = false;
    const { store, platform, calls } = storeWith((commands) =>
      hangs ? new Promise(() => {}) : ok(...commands.map(() => "OK")),
    );
    const { timer } = platform;
    platform.timer = (ms, run) => (ended ? () => {} : timer(ms, run));
    store.onRecovery((batch) => {
      void batch.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      return false;
    });
    store.markDue();
    // An invocation that is ended runs no timer of its own any more.
    ended = true;
    void store.maintenance();
    await turn();
    expect(calls).toHaveLength(1);
    expect(store.maintenance(), "it may still be under way").toBeNull();
    hangs = ended = false;
    platform.advance(2400);
    await store.maintenance();
    expect(calls.at(-1)?.commands, "it is tried again").toEqual([["set", "kept", "1", "px", 1000]]);
    expect(store.maintenance(), "and is done").toBeNull();
  });

  it("wait after a refusal that is in no reply's error: 1 s, doubling to 8 s", async () => {
    const { store, platform } = storeWith((commands) => ok(...commands.map(() => "no number")));
    let tries = 0;
    store.onRecovery((batch) => {
      tries += 1;
      void batch.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      return tries < 6 ? "refused" : "done";
    });
    store.markDue();
    const pauses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      let waited = 0;
      let replay = store.maintenance();
      while (!replay) {
        platform.advance(500);
        waited += 500;
        replay = store.maintenance();
      }
      await replay;
      pauses.push(waited);
    }
    expect(pauses).toEqual([0, 1000, 2000, 4000, 8000, 8000]);
    platform.advance(8000);
    expect(store.maintenance(), "it was accepted at last").toBeNull();
  });

  it("are not forgotten when they arise while another replay is under way", async () => {
    const { store, platform } = storeWith((commands) => ok(...commands.map(() => "OK")));
    let replayed = 0;
    store.onRecovery((batch) => {
      replayed += 1;
      void batch.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      if (replayed === 1) queueMicrotask(() => store.markDue());
      return false;
    });
    store.markDue();
    await store.maintenance();
    platform.advance(1000);
    await store.maintenance();
    expect(replayed).toBe(2);
    platform.advance(8000);
    expect(store.maintenance()).toBeNull();
  });

  it("of what has ended are not asked any more; those registered before, beside and after it are", async () => {
    const { store } = storeWith((commands) => ok(...commands.map(() => "OK")));
    const asked: string[] = [];
    const register = (name: string) => store.onRecovery(() => asked.push(name) < 0);
    register("before");
    const [, endOne] = store.recoveriesOf(() => register("one"));
    const [made, endTwo] = store.recoveriesOf(() => {
      register("two");
      register("two again");
      return "made";
    });
    register("after");
    expect(made).toBe("made");
    const run = async () => {
      asked.length = 0;
      store.markDue();
      await store.maintenance();
      return [...asked];
    };
    expect(await run()).toEqual(["before", "one", "two", "two again", "after"]);
    endOne();
    expect(await run()).toEqual(["before", "two", "two again", "after"]);
    endOne();
    endTwo();
    register("last");
    expect(await run()).toEqual(["before", "after", "last"]);
  });
});
