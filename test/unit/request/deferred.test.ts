import { describe, expect, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import { AfterResponse } from "../../../src/request/deferred.ts";
import { ok, storeWith } from "../../support/store.ts";

function afterResponse() {
  const { store, platform, calls } = storeWith((commands) => ok(...commands.map(() => null)));
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
