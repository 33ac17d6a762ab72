import { describe, expect, it } from "vitest";
import { ok, storeWith, turn } from "../../support/store.ts";

describe("what is owed", () => {
  it("is replayed trip by trip while there is more, twenty at most, and goes on with the next request", async () => {
    const { store, calls } = storeWith((commands) => ok(...commands.map(() => "OK")));
    let left = 25;
    store.onRecovery((trip) => {
      left -= 1;
      trip.queue((pipeline) => pipeline.set("kept", String(left), { px: 1000 }));
      return left > 0;
    });
    store.owe();
    await store.maintenance();
    expect(calls).toHaveLength(20);
    await store.maintenance();
    expect(calls).toHaveLength(25);
    expect(store.maintenance()).toBeNull();
  });

  it("stays owed when an invocation is ended in the middle of a replay", async () => {
    let hangs = true;
    let ended = false;
    const { store, platform, calls } = storeWith((commands) =>
      hangs ? new Promise(() => {}) : ok(...commands.map(() => "OK")),
    );
    const { timer } = platform;
    platform.timer = (ms, run) => (ended ? () => {} : timer(ms, run));
    store.onRecovery((trip) => {
      void trip.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      return false;
    });
    store.owe();
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

  it("waits after a refusal that is in no reply's error: 1 s, doubling to 8 s", async () => {
    const { store, platform } = storeWith((commands) => ok(...commands.map(() => "no number")));
    let tries = 0;
    store.onRecovery((trip) => {
      tries += 1;
      void trip.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      return tries < 6 ? "refused" : "done";
    });
    store.owe();
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
    expect(store.maintenance(), "it was taken at last").toBeNull();
  });

  it("is not forgotten when it arises while another replay is under way", async () => {
    const { store, platform } = storeWith((commands) => ok(...commands.map(() => "OK")));
    let carried = 0;
    store.onRecovery((trip) => {
      carried += 1;
      void trip.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      if (carried === 1) queueMicrotask(() => store.owe());
      return false;
    });
    store.owe();
    await store.maintenance();
    platform.advance(1000);
    await store.maintenance();
    expect(carried).toBe(2);
    platform.advance(8000);
    expect(store.maintenance()).toBeNull();
  });
});
