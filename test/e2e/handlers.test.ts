import { afterAll, beforeAll, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({
    entry: "test/support/workers/handlers.ts",
  });
});
afterAll(() => harness.stop());

const json = async (path: string, init?: RequestInit) => (await harness.edge.fetch(path, init)).json();

it("a handler limits by a name of its own", async () => {
  const results: unknown[] = [];
  for (let i = 0; i < 3; i += 1) results.push(await json("/send/ada@example.com", { method: "POST" }));
  expect(results).toMatchObject([
    { success: true, limit: 2, remaining: 1, source: "redis" },
    { success: true, limit: 2, remaining: 0 },
    { success: false, remaining: 0, retryAfterSeconds: expect.any(Number) as number },
  ]);
});

it("a handler makes, reads and ends a session", async () => {
  expect(await json("/session/user_9", { method: "POST" })).toEqual({
    durable: true,
    read: "found",
    ended: "done",
    again: "missing",
  });
});

it.each([0, "", false, null, [], { a: 1 }])("the value cache keeps %j as a value", async (value) => {
  const path = `/value/of-${encodeURIComponent(JSON.stringify(value))}`;
  expect(await json(path)).toEqual({ hit: false });
  expect(await json(path, { method: "PUT", body: JSON.stringify(value) })).toEqual({ stored: true });
  expect(await json(path)).toEqual({ hit: true, value });
  expect(await json(path, { method: "DELETE" })).toEqual({ deleted: true });
  expect(await json(path)).toEqual({ hit: false });
});

it("a fetch that fails is called once, its error handed on, nothing stored", async () => {
  expect(await json("/failing/x")).toEqual({ calls: 1, error: "the fetch failed" });
  expect(await json("/value/x")).toEqual({ hit: false });
});

it("goes on in the Map while the store is away, and on Redis when it is back", async () => {
  await harness.upstash.stopEndpoint();
  expect(await json("/value/kept", { method: "PUT", body: '"during"' })).toEqual({ stored: false });
  expect(await json("/value/kept")).toEqual({ hit: true, value: "during" });
  for (let i = 0; i < 4; i += 1) await json("/value/other");
  await harness.upstash.startEndpoint();
  await until(async () => {
    await harness.edge.fetch("/value/nothing");
    return String(await harness.upstash.redis.command("KEYS", "*k:kept")) !== "";
  }, "Redis is told");
  expect(await json("/value/kept")).toEqual({ hit: true, value: "during" });
});
