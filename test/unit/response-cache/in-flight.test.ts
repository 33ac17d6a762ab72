import { describe, expect, it } from "vitest";
import { InFlightFetches } from "../../../src/response-cache/in-flight.ts";
import { testPlatform } from "../../support/platform.ts";
import { turn } from "../../support/store.ts";

function open() {
  const platform = testPlatform();
  const fetches = new InFlightFetches(platform);
  /** Begins to wait. @returns what came of it so far: undefined while it waits. */
  const wait = () => {
    const state: { found?: boolean } = {};
    void fetches.wait("a").then((found) => {
      state.found = found;
    });
    return () => state.found;
  };
  const pass = async (ms: number) => {
    for (let at = 0; at < ms; at += 10) {
      platform.advance(10);
      await turn();
    }
  };
  return { platform, fetches, wait, pass };
}

describe("a fetch that began before it was known to be needed", () => {
  it("is one that no other begins beside", () => {
    const { fetches } = open();
    fetches.take("a", 1000);
    expect([fetches.take("a"), fetches.take("a", 1000)]).toEqual([null, null]);
    expect(fetches.take("b")).not.toBeNull();
  });

  it("is waited for further when it is needed, until it is done", async () => {
    const { fetches, wait, pass } = open();
    const known = fetches.take("a", 1000);
    const found = wait();
    await pass(50);
    known?.();
    const done = fetches.take("a");
    await pass(100);
    expect(found()).toBeUndefined();
    done?.();
    await pass(10);
    expect(found()).toBe(true);
  });

  it("lets everybody go when it is not needed: one of them asks, and the others wait for that one", async () => {
    const { fetches, wait, pass } = open();
    const known = fetches.take("a", 1000);
    const [first, ...others] = [wait(), wait(), wait()];
    known?.();
    await pass(10);
    expect(first?.()).toBe(false);
    expect(fetches.take("a")).not.toBeNull();
    expect(others.map((found) => found())).toEqual([false, false]);
  });

  it("is waited for while the long answer to another request for the same URL is passed on", async () => {
    const { fetches, wait, pass } = open();
    const known = fetches.take("a", 1000);
    fetches.headersArrived("a");
    const found = wait();
    await pass(50);
    expect(found()).toBeUndefined();
    known?.();
    await pass(10);
    expect(found()).toBe(false);
  });

  it("is over when it is said to be, though nothing is heard of it", async () => {
    const { fetches, wait, pass } = open();
    fetches.take("a", 300);
    const found = wait();
    await pass(290);
    expect(found()).toBeUndefined();
    await pass(20);
    expect(found()).toBe(false);
    expect(fetches.take("a")).not.toBeNull();
  });

  it("keeps nobody waiting for more than two seconds, however many follow each other", async () => {
    const { fetches, wait, pass } = open();
    let known = fetches.take("a", 1000);
    const found = wait();
    for (let at = 0; at < 1900; at += 100) {
      await pass(100);
      known?.();
      known = fetches.take("a", 1000);
    }
    expect(found()).toBeUndefined();
    await pass(200);
    expect(found()).toBe(false);
  });

  it("does not end what was taken after it", () => {
    const { fetches } = open();
    const known = fetches.take("a", 1000);
    known?.();
    fetches.take("a");
    known?.();
    expect(fetches.take("a")).toBeNull();
  });
});
