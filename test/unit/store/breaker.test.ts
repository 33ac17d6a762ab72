import { describe, expect, it } from "vitest";
import { Breaker } from "../../../src/store/breaker.ts";
import { testPlatform } from "../../support/platform.ts";
import { ask, ok, storeWith, turn } from "../../support/store.ts";

describe("the breaker", () => {
  const refuse = () => Promise.reject(new TypeError("refused"));
  it("opens at the third failed batch: later ones fail at once, without a call", async () => {
    const { store, calls, lines } = storeWith(refuse);
    for (let i = 0; i < 3; i += 1) await ask(store);
    expect(calls).toHaveLength(3);
    const batch = await ask(store);
    expect(batch.error?.code).toBe("open");
    expect(batch.calls).toBe(0);
    expect(calls, "no call once it is open").toHaveLength(3);
    expect(store.state).toMatchObject({ mode: "memory", because: "unreachable" });
    expect(
      lines.filter((line) => line.event === "store.lost"),
      "logged once",
    ).toHaveLength(1);
  });

  it("probes one at a time, 1 s doubling to 30 s, and replays once when Redis is back", async () => {
    let alive = false;
    const { store, platform, calls } = storeWith((commands) =>
      alive ? ok(...commands.map(() => "PONG")) : Promise.reject(new TypeError("refused")),
    );
    let replays = 0;
    store.onRecovery((batch) => {
      replays += 1;
      batch.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
      return false;
    });
    for (let i = 0; i < 3; i += 1) await ask(store);
    const pauses: number[] = [];
    for (let i = 0; i < 7; i += 1) {
      let waited = 0;
      let probe = store.maintenance();
      while (!probe) {
        platform.advance(500);
        waited += 500;
        probe = store.maintenance();
      }
      expect(store.maintenance(), "no second probe beside the first").toBeNull();
      await probe;
      pauses.push(waited);
    }
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);

    alive = true;
    platform.advance(30_000);
    await store.maintenance();
    expect(store.state).toEqual({ mode: "redis" });
    expect(replays).toBe(1);
    expect(calls.at(-1)?.commands).toEqual([["set", "kept", "1", "px", 1000]]);
    expect(store.maintenance()).toBeNull();
  });

  it("probes again when an invocation was ended in the middle of a probe", async () => {
    const platform = testPlatform();
    expect(new Breaker(platform).takeProbe(), "there is nothing to probe while it is closed").toBe(false);
    const breaker = new Breaker(platform, { failures: 1 });
    breaker.failed("unreachable");
    platform.advance(1000);
    expect(breaker.takeProbe()).toBe(true);
    platform.advance(29_999);
    expect(breaker.takeProbe(), "the first may still be under way").toBe(false);
    platform.advance(1);
    expect(breaker.takeProbe(), "the first was never reported").toBe(true);
  });

  it("is not delayed by a clock that goes back", async () => {
    const platform = testPlatform();
    const breaker = new Breaker(platform, { failures: 1 });
    breaker.failed("unreachable");
    platform.advance(-3_600_000);
    breaker.takeProbe();
    platform.advance(30_000);
    expect(breaker.takeProbe(), "not in an hour").toBe(true);
  });

  it("finds a store that needs a second to connect: a probe may take three times the deadline", async () => {
    let answer: () => Response | Promise<Response> = () => Promise.reject(new TypeError("refused"));
    const { store, platform } = storeWith(() => answer());
    for (let i = 0; i < 3; i += 1) await ask(store);
    answer = () => new Promise(() => {});
    // Probes go out every few seconds, so that none of them comes after a silence.
    for (let i = 0; i < 4; i += 1) {
      platform.advance(i === 0 ? 1000 : 40_000);
      const probe = store.maintenance();
      await turn();
      platform.advance(1200);
      await probe;
    }
    expect(store.reachable).toBe(false);
    platform.advance(30_000);
    let connected: (response: Response) => void = () => {};
    answer = () =>
      new Promise((resolve) => {
        connected = resolve;
      });
    const probe = store.maintenance();
    await turn();
    platform.advance(1000);
    connected(ok("PONG"));
    await probe;
    expect(store.reachable, "the answer came after 1000 ms").toBe(true);
  });

  it("does not count an error as an answer to its probe", async () => {
    let answer: () => Response | Promise<Response> = () => Promise.reject(new TypeError("refused"));
    const { store, platform } = storeWith(() => answer());
    for (let i = 0; i < 3; i += 1) await ask(store);
    answer = () => Response.json([{ error: "LOADING Redis is loading the dataset in memory" }]);
    platform.advance(1000);
    await store.maintenance();
    expect(store.reachable).toBe(false);
  });

  describe("half-open after a probe:", () => {
    /** A store that answers PING and hangs on everything else, and the breaker open. */
    async function hanging() {
      const wire = { hangs: true, reached: () => {} };
      const world = storeWith((commands) => {
        if (!wire.hangs || String(commands[0]?.[0]).toLowerCase() === "ping")
          return ok(...commands.map(() => null));
        wire.reached();
        return new Promise(() => {});
      });
      const { store, platform } = world;
      const late = async () => {
        const sent = ask(store);
        await turn();
        platform.advance(1200);
        return sent;
      };
      for (let i = 0; i < 4; i += 1) await late();
      expect(store.reachable).toBe(false);
      /** @returns how long it was until a probe was due. */
      const probed = async () => {
        let waited = 0;
        for (;;) {
          const probe = store.maintenance();
          if (probe) {
            await probe;
            return waited;
          }
          platform.advance(250);
          waited += 250;
        }
      };
      return { ...world, wire, late, probed };
    }

    it("the first batch that fails opens it again, and the pause goes on doubling", async () => {
      const { store, late, probed, calls } = await hanging();
      const pauses: number[] = [];
      for (let i = 0; i < 7; i += 1) {
        await probed();
        expect(store.reachable, "the probe was answered").toBe(true);
        const before = calls.length;
        await late();
        expect(store.reachable, "one late batch is enough").toBe(false);
        expect(calls.length - before).toBe(1);
        pauses.push(store.retryAfterSeconds);
      }
      expect(pauses).toEqual([2, 4, 8, 16, 30, 30, 30]);
    });

    it("one batch at a time waits for the store; others fail at once", async () => {
      const { store, probed, calls, platform } = await hanging();
      await probed();
      const before = calls.length;
      const waiting = [ask(store), ask(store), ask(store)];
      await turn();
      expect(calls.length - before, "calls").toBe(1);
      const [, second, third] = await Promise.all([null, waiting[1], waiting[2]]);
      expect([second?.error?.code, third?.error?.code], "answered at once").toEqual(["open", "open"]);
      platform.advance(1200);
      expect((await waiting[0])?.error?.code).toBe("timeout");
    });

    it("a health check that pings does not close it", async () => {
      const { store, late, probed } = await hanging();
      await probed();
      const batch = store.batch();
      void batch.queue((pipeline) => pipeline.ping());
      await batch.send();
      expect(batch.error).toBeUndefined();
      await late();
      expect(store.reachable).toBe(false);
    });

    it("a batch that comes back closes it: three must fail again, and the pause starts over", async () => {
      const { store, wire, late, probed, platform } = await hanging();
      for (let i = 0; i < 4; i += 1) {
        await probed();
        await late();
      }
      await probed();
      wire.hangs = false;
      expect((await ask(store)).error).toBeUndefined();
      // Connections are made by then.
      platform.advance(1200);
      wire.hangs = true;
      for (let i = 0; i < 2; i += 1) await late();
      expect(store.reachable, "two are not enough").toBe(true);
      await late();
      expect(store.reachable).toBe(false);
      expect(store.retryAfterSeconds).toBe(1);
    });

    it("the replay that follows is a batch like any other", async () => {
      const { store, platform, wire } = await hanging();
      const replaying = new Promise<void>((resolve) => {
        wire.reached = resolve;
      });
      store.onRecovery((batch) => {
        void batch.queue((pipeline) => pipeline.set("kept", "1", { px: 1000 }));
        return false;
      });
      platform.advance(1000);
      const probe = store.maintenance();
      await replaying;
      expect(store.reachable, "the probe was answered").toBe(true);
      platform.advance(1200);
      await probe;
      expect(store.reachable, "the replay was not").toBe(false);
    });
  });
});
