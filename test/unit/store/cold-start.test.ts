import { describe, expect, it } from "vitest";
import { ask, ok, storeWith, turn } from "../../support/store.ts";

describe("a cold start", () => {
  it("does not open the breaker by late replies alone", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    for (let i = 0; i < 5; i += 1) {
      const sent = ask(store);
      await turn();
      platform.advance(1200);
      await sent;
      platform.advance(60_001);
    }
    expect(store.reachable).toBe(true);
  });

  it("gives all calls that start in it the cold deadline", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    const errors: (string | undefined)[] = [];
    const start = () => void ask(store).then((batch) => errors.push(batch.error?.code));
    for (let i = 0; i < 10; i += 1) start();
    await turn();
    platform.advance(600);
    for (let i = 0; i < 10; i += 1) start();
    await turn();
    platform.advance(599);
    await turn();
    expect(errors, "nobody is late before 1200 ms").toEqual([]);
    platform.advance(1);
    await turn();
    expect(errors).toEqual(Array.from({ length: 10 }, () => "timeout"));
    platform.advance(600);
    await turn();
    expect(errors, "each has its own 1200 ms").toHaveLength(20);
    expect(store.reachable, "and none of them opened the breaker").toBe(true);
  });

  it("ends after 1200 ms: requests wait 400 ms for a call that starts then, and its timeout counts", async () => {
    const { store, platform, calls } = storeWith(() => new Promise(() => {}));
    void ask(store);
    await turn();
    platform.advance(1200);
    const later = [ask(store), ask(store), ask(store)];
    await turn();
    platform.advance(400);
    expect((await Promise.all(later)).map(({ error }) => error?.code)).toEqual(Array(3).fill("timeout"));
    platform.advance(799);
    await turn();
    expect(store.reachable, "each may be answered until 1200 ms have passed").toBe(true);
    platform.advance(1);
    await turn();
    expect(store.reachable).toBe(false);
    expect(calls).toHaveLength(4);
  });

  it("lasts 1200 ms from its first reply on, and begins again after 60 s of silence", async () => {
    let hangs = false;
    const { store, platform } = storeWith(() => (hangs ? new Promise(() => {}) : ok([null])));
    await ask(store);
    hangs = true;
    const lateAfter = async (ms: number) => {
      const sent = ask(store);
      await turn();
      platform.advance(ms - 1);
      let settled = false;
      void sent.then(() => {
        settled = true;
      });
      await turn();
      expect(settled, `not before ${ms} ms`).toBe(false);
      platform.advance(1);
      expect((await sent).error?.code).toBe("timeout");
    };
    platform.advance(1199);
    await lateAfter(1200);
    await lateAfter(400);
    platform.advance(60_001);
    await lateAfter(1200);
  });

  it("does not last longer because the clock went back", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    void ask(store);
    await turn();
    platform.advance(-3_600_000);
    void ask(store);
    await turn();
    platform.advance(1200);
    const warm = ask(store);
    await turn();
    platform.advance(400);
    expect((await warm).error?.code).toBe("timeout");
  });
});
