import { Redis, type Requester } from "@upstash/redis";
import { expect, it } from "vitest";
import { type Pipeline, pack } from "../../../src/store/commands.ts";

type SdkPipeline = ReturnType<Redis["pipeline"]>;

/** What @upstash/redis would send for the same calls. */
async function bySdk(add: (pipeline: SdkPipeline) => void): Promise<unknown> {
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

const cases: [string, (pipeline: Pipeline) => void, (pipeline: SdkPipeline) => void][] = [
  ["ping", (p) => p.ping(), (p) => p.ping()],
  ["mget", (p) => p.mget("a", "b"), (p) => p.mget("a", "b")],
  ["set with ms", (p) => p.set("k", '{"a":1}', { px: 1500 }), (p) => p.set("k", '{"a":1}', { px: 1500 })],
  ["set with s", (p) => p.set("k", "π", { ex: 60 }), (p) => p.set("k", "π", { ex: 60 })],
  ["del", (p) => p.del("a", "b"), (p) => p.del("a", "b")],
  ["hmget", (p) => p.hmget("k", "f", "g"), (p) => p.hmget("k", "f", "g")],
  ["hset", (p) => p.hset("k", { f: "1", g: "" }), (p) => p.hset("k", { f: "1", g: "" })],
  ["pexpire", (p) => p.pexpire("k", 1000), (p) => p.pexpire("k", 1000)],
  ["zcount", (p) => p.zcount("k", "(5", "+inf"), (p) => p.zcount("k", "(5", "+inf")],
  [
    "zrange by score",
    (p) => p.zrange("k", "(5", "+inf", { byScore: true, offset: 0, count: 1, withScores: true }),
    (p) => p.zrange("k", "(5", "+inf", { byScore: true, offset: 0, count: 1, withScores: true }),
  ],
  [
    "eval",
    (p) => p.eval("return 1", ["k"], ["a", 2, { b: 3 }]),
    (p) => p.eval("return 1", ["k"], ["a", 2, { b: 3 }]),
  ],
  ["evalsha", (p) => p.evalsha("ab", [], ["1", 1.5]), (p) => p.evalsha("ab", [], ["1", 1.5])],
  [
    "several, in their order",
    (p) => {
      p.ping();
      p.del("a");
    },
    (p) => p.ping().del("a"),
  ],
];

it.each(cases)("%s is on the wire as @upstash/redis writes it", async (_, ours, theirs) => {
  expect(pack(ours)).toEqual(await bySdk(theirs));
});
