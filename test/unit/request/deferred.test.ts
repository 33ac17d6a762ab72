import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import { AfterResponse } from "../../../src/request/deferred.ts";
import { ok, storeWith } from "../../support/store.ts";

const newStore = () => storeWith((commands) => ok(...commands.map(() => null)));

function afterResponse({ store, platform, calls } = newStore()) {
  const received: EmittedEvent[] = [];
  const waiting: Promise<unknown>[] = [];
  const sink = { receive: (event: EmittedEvent) => void received.push(event) };
  const after = new AfterResponse({
    store,
    events: createEvents({ platform, write: () => {}, sinks: [sink] }),
    requestId: "request-1",
    waitUntil: (work) => void waiting.push(work),
  });
  return { after, received, calls, done: () => Promise.all(waiting) };
}

describe("work that fails after the response", () => {
  it("is an event with the request, the class and the place, and never its message", async () => {
    const { after, received, done } = afterResponse();
    after.add(() => {
      throw new SyntaxError("text-of-the-caller");
    });
    after.start();
    await done();
    expect(received).toMatchObject([
      {
        event: "after.failed",
        level: "error",
        fields: {
          request_id: "request-1",
          class: "SyntaxError",
          place: expect.stringMatching(/^\S+ deferred\.test\.ts:\d+:\d+$/),
        },
      },
    ]);
    expect(JSON.stringify(received)).not.toContain("text-of-the-caller");
  });

  it("keeps no other work from its batch", async () => {
    const { after, calls, done } = afterResponse();
    after.add(() => Promise.reject(new Error("first")));
    after.add((batch) => void batch.read("a"));
    after.start();
    await done();
    expect(calls.map(({ commands }) => commands)).toEqual([[["mget", "a"]]]);
  });
});

describe("work of several middlewares on one request", () => {
  it.each([
    ["shares one batch where they share a store", true, [["mget", "a", "b"]]],
    ["is in batches of its own where they do not", false, [["mget", "a"]]],
  ])("%s, and starts with the outermost's", async (_what, isShared, expected) => {
    const shared = newStore();
    const outer = afterResponse(shared);
    const inner = afterResponse(isShared ? shared : newStore());
    outer.after.join(inner.after);
    inner.after.add((batch) => void batch.read(isShared ? "b" : "c"));
    outer.after.add((batch) => void batch.read("a"));
    await inner.done();
    expect([outer.calls, inner.calls]).toEqual([[], []]);
    outer.after.start();
    await Promise.all([outer.done(), inner.done()]);
    expect(outer.calls.map(({ commands }) => commands)).toEqual([expected]);
    if (!isShared) expect(inner.calls.map(({ commands }) => commands)).toEqual([[["mget", "c"]]]);
    inner.after.add((batch) => void batch.read("late"));
    await inner.done();
    expect(inner.calls.at(-1)?.commands).toEqual([["mget", "late"]]);
  });
});
