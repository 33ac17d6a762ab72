import { describe, expect, it } from "vitest";
import type { Route } from "../../../src/config/route.ts";
import type { Isolate } from "../../../src/edge/isolate.ts";
import { spansOf } from "../../../src/edge/spans.ts";
import { Batch } from "../../../src/store/batch.ts";
import { createPipelineSender } from "../../../src/store/client.ts";
import { defineScript } from "../../../src/store/script.ts";

/** The platform's tracing, as far as it is used. */
function tracing(active?: { isTraced: boolean } | null) {
  const spans: { name: string; said: Record<string, unknown>; ended: boolean }[] = [];
  return {
    spans,
    enterSpan<Result>(name: string, work: (span: object) => Result): Result {
      const span = { name, said: {} as Record<string, unknown>, ended: false };
      spans.push(span);
      const result = work({ setAttribute: (key: string, value: unknown) => (span.said[key] = value) });
      void Promise.resolve(result).then(
        () => (span.ended = true),
        () => (span.ended = true),
      );
      return result;
    },
    ...(active !== null && { getActiveSpan: () => active }),
  };
}

describe("spans", () => {
  it.each([
    ["no tracing", {}],
    ["tracing of another shape", { tracing: {} }],
    ["tracing that is null", { tracing: null }],
    ["an invocation that is not sampled", { tracing: tracing({ isTraced: false }) }],
  ])("are none where the platform has %s", (_, context) => {
    expect(spansOf(context)).toBeUndefined();
  });

  it.each([
    ["sampled", tracing({ isTraced: true })],
    ["of a runtime that cannot tell", tracing(null)],
    ["without an active span", tracing(undefined)],
  ])("are there in an invocation %s", async (_, platform) => {
    const spans = spansOf({ tracing: platform });
    const identify = spans?.parts({ store: {}, identify: async () => 7 } as unknown as Isolate).identify;
    const route = { name: "/v1/*" } as Route;
    expect(await identify?.(new Request("https://e.example/v1/x"), new URL("https://e.example"), route)).toBe(
      7,
    );
    expect(platform.spans).toEqual([{ name: "edge.identify", said: { "http.route": "/v1/*" }, ended: true }]);
  });

  it("say that the work failed, which goes on as it was", async () => {
    const platform = tracing();
    const error = new Error("secret of a caller");
    const origin = { repeatable: true, fetch: () => Promise.reject(error) };
    const failing = spansOf({ tracing: platform })?.origin(origin).fetch(new Headers());
    await expect(failing).rejects.toBe(error);
    expect(platform.spans[0]?.said).toEqual({ "edge.outcome": "failed" });
  });

  it.each<[what: string, ask: (batch: Batch) => unknown, commands: number]>([
    ["one read", (batch) => batch.read("a"), 1],
    ["two reads", (batch) => [batch.read("a"), batch.read("b")], 1],
    ["reads of several keys", (batch) => batch.readAll(["a", "b"]), 1],
    ["reads of both kinds", (batch) => [batch.readAll(["a", "b"]), batch.read("c")], 1],
    ["reads of nothing and a command", (batch) => [batch.readAll([]), batch.queue((p) => p.ping())], 1],
    [
      "a read and a script",
      (batch) => [batch.readAll(["a"]), batch.run(defineScript("return 1"), [], [])],
      2,
    ],
    ["what a library sends", (batch) => [batch.evalsha("sha", [], []), batch.eval("return 1", [], [])], 2],
  ])("say how many commands %s are", async (_, ask, commands) => {
    const platform = tracing();
    const sent: number[] = [];
    const send = createPipelineSender(async (call) => {
      sent.push(call.commands.length);
      const items = call.commands.map(([name, ...keys]) => ({
        result: name === "mget" ? keys.map(() => null) : 1,
      }));
      return { items, syncToken: undefined };
    });
    const store = { batch: () => new Batch(send) };
    const batch = spansOf({ tracing: platform })
      ?.parts({ store } as unknown as Isolate)
      .store.batch();
    if (!batch) throw new Error("there are no spans");
    ask(batch);
    await batch.send();
    expect([platform.spans[0]?.said["edge.commands"], ...sent]).toEqual([commands, commands]);
  });
});
