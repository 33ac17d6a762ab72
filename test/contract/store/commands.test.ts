import { Redis, type Requester } from "@upstash/redis";
import { expect, it } from "vitest";
import type { Pipeline } from "../../../src/store/client.ts";
import { StoreError } from "../../../src/store/errors.ts";
import { storeOfOwner } from "../../support/store.ts";

/** What the SDK with its own defaults would send for the same calls. */
async function bySdk(add: (pipeline: Pipeline) => unknown): Promise<unknown> {
  let sent: unknown;
  const requester: Requester = {
    async request<Result>({ body }: { body?: unknown }) {
      sent = body;
      return { result: [] as Result };
    },
  };
  const pipeline = new Redis(requester).pipeline();
  add(pipeline);
  await pipeline.exec({ keepErrors: true }).catch(() => {});
  return sent;
}

const hash = { f: "1", g: "" };
const byScore = { byScore: true, offset: 0, count: 1, withScores: true } as const;
const cases: [
  what: string,
  add: (pipeline: Pipeline) => unknown,
  wire: (string | number)[],
  reply: unknown,
  before?: (pipeline: Pipeline) => unknown,
][] = [
  ["ping", (p) => p.ping(), ["ping"], "PONG"],
  ["mget", (p) => p.mget("a", "b"), ["mget", "a", "b"], ["1e3", null], (p) => p.set("a", "1e3")],
  ["set with ms", (p) => p.set("k", '{"a":1}', { px: 1500 }), ["set", "k", '{"a":1}', "px", 1500], "OK"],
  ["set with s", (p) => p.set("k", "π", { ex: 60 }), ["set", "k", "π", "ex", 60], "OK"],
  ["get", (p) => p.get("k"), ["get", "k"], "π", (p) => p.set("k", "π", { ex: 60 })],
  ["del", (p) => p.del("a", "b"), ["del", "a", "b"], 1, (p) => p.set("a", "1", { px: 60_000 })],
  [
    "hmget",
    (p) => p.hmget("h", "f", "g", "none"),
    ["hmget", "h", "f", "g", "none"],
    ["1", "", null],
    (p) => p.hset("h", hash),
  ],
  ["hset", (p) => p.hset("h", hash), ["hset", "h", "f", "1", "g", ""], 2],
  ["pexpire", (p) => p.pexpire("h", 1000), ["pexpire", "h", 1000], 1, (p) => p.hset("h", hash)],
  [
    "zcount",
    (p) => p.zcount("z", "(5", "+inf"),
    ["zcount", "z", "(5", "+inf"],
    1,
    (p) => p.zadd("z", { score: 5, member: "five" }, { score: 6.5, member: "more" }),
  ],
  [
    "zrange by score",
    (p) => p.zrange("z", "(5", "+inf", byScore),
    ["zrange", "z", "(5", "+inf", "byscore", "limit", 0, 1, "withscores"],
    ["more", "6.5"],
    (p) => p.zadd("z", { score: 5, member: "five" }, { score: 6.5, member: "more" }),
  ],
  [
    "eval",
    (p) => p.eval("return {KEYS[1], ARGV[1], ARGV[2], ARGV[3], false}", ["k"], ["a", 2, { b: 3 }]),
    ["eval", "return {KEYS[1], ARGV[1], ARGV[2], ARGV[3], false}", 1, "k", "a", 2, '{"b":3}'],
    ["k", "a", "2", '{"b":3}', null],
  ],
  [
    "evalsha",
    (p) => p.evalsha("5a4c7f54c1f1bb3c2d5b4d6e5c1f0a9b8c7d6e5f", [], ["1", 1.5]),
    ["evalsha", "5a4c7f54c1f1bb3c2d5b4d6e5c1f0a9b8c7d6e5f", 0, "1", 1.5],
    "NOSCRIPT",
  ],
];

it.each(cases)("%s: on the wire as the SDK writes it, the reply as Redis gives it", async (...one) => {
  const [, add, wire, reply, before] = one;
  const { store, calls } = storeOfOwner();
  const reset = store.batch();
  void reset.queue((p) => p.del("a", "b", "k", "h", "z"));
  if (before) void reset.queue(before);
  await reset.send();
  const batch = store.batch();
  const replied = batch.queue(add).catch((error: StoreError) => error.redisCode);
  await batch.send();
  expect(calls.at(-1)).toMatchObject({ path: "/pipeline", commands: [wire] });
  expect(await bySdk(add)).toEqual([wire]);
  expect(await replied).toEqual(reply);
});

it("several commands keep their order, and a failed one fails alone", async () => {
  const { store, calls } = storeOfOwner();
  const batch = store.batch();
  const pong = batch.queue((p) => p.ping());
  const hashed = batch.queue((p) => p.del("h2"));
  const set = batch.queue((p) => p.hset("h2", hash));
  const text = batch.queue((p) => p.set("k2", "text", { px: 60_000 }));
  // The SDK's deserializer, were it on, would throw on the missing result and fail the whole pipeline.
  const wrong = batch.queue((p) => p.hmget("k2", "f")).catch((error: unknown) => error);
  await batch.send();
  expect(calls.at(-1)?.commands).toEqual([
    ["ping"],
    ["del", "h2"],
    ["hset", "h2", "f", "1", "g", ""],
    ["set", "k2", "text", "px", 60_000],
    ["hmget", "k2", "f"],
  ]);
  expect([await pong, typeof (await hashed), await set, await text]).toEqual(["PONG", "number", 2, "OK"]);
  const error = await wrong;
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ code: "command", redisCode: "WRONGTYPE" });
  expect(batch.error, "the batch as a whole did not fail").toBeUndefined();
});
