import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const EACH = 500;
const AT_ONCE = 25;
const ROUTES = [{ path: "/v1/user/*", access: "session" }];

/** 500 sessions from before Redis stops, 500 from the outage, some of each ended, and an isolate that restarts meanwhile. */
describe.runIf(inject("redisKind") === "redis-server")(
  "sessions and a Redis that dies and comes back",
  () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await openHarness({ vars: { ROUTES } });
    });
    afterAll(() => harness.stop());

    const profile = async (token: string) => {
      const response = await harness.edge.fetch("/v1/user/profile", {
        headers: { authorization: `Bearer ${token}` },
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const end = async (token: string) =>
      (
        await harness.edge.fetch("/auth/sessions/current", {
          method: "DELETE",
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    const make = (kind: string, count: number) =>
      inTurns(count, (i) => harness.token(`${kind}_${i}`, i % 2 ? "premium" : undefined));
    const found = () =>
      until(async () => {
        await (await harness.edge.fetch("/v1/hits")).arrayBuffer();
        const health = (await (await harness.edge.fetch("/health")).json()) as {
          services: { session_storage: string };
        };
        return health.services.session_storage === "redis";
      }, "the edge finds Redis again");

    it("loses none of 1000, and revives none that was ended", { timeout: 300_000 }, async () => {
      const before = await make("before", EACH);
      await harness.upstash.redis.stop();
      // Sessions of both kinds end, in an isolate that still runs when Redis is back.
      const ended = [...before.splice(0, 10), ...(await make("ended", 10))];
      for (const token of ended) expect(await end(token)).toBe(202);
      for (const token of ended) expect((await profile(token)).status).toBe(401);
      const here = await inTurns(before.length, (i) => profile(String(before[i])));
      expect(here.filter(({ status }) => status !== 200)).toEqual([]);
      await harness.upstash.redis.start();
      await found();
      for (const token of ended) expect((await profile(token)).status, "ended for good").toBe(401);

      // Redis stops again. When the isolate restarts, these sessions exist only as their tokens.
      await harness.upstash.redis.stop();
      const during = await make("during", EACH);
      await harness.edge.restart();
      const all = [...before, ...during];
      const elsewhere = await inTurns(all.length, (i) => profile(String(all[i])));
      const honoured = elsewhere.filter(({ status }) => status === 200).length;
      console.info(`honoured by a fresh isolate while Redis is away: ${honoured} of ${all.length}`);
      expect(honoured).toBe(all.length);
      await harness.upstash.redis.start();
      await found();

      const after = await inTurns(all.length, (i) => profile(String(all[i])));
      expect(after.filter(({ status }) => status !== 200)).toEqual([]);
      const names = (kind: string, from: number) =>
        Array.from({ length: EACH - from }, (_, i) => ({
          user_id: `${kind}_${from + i}`,
          tier: (from + i) % 2 ? "premium" : null,
        }));
      expect(after.map(({ body }) => body)).toEqual([...names("before", 10), ...names("during", 0)]);
      for (const token of ended) expect((await profile(token)).status, "and ended still").toBe(401);
      const record = await harness.edge.fetch("/auth/sessions", {
        headers: { authorization: `Bearer ${during[0]}` },
      });
      expect(await record.json(), "it is written in Redis").toMatchObject({
        sessions: [{ user_id: "during_0", current: true }],
      });
    });
  },
);

async function inTurns<Result>(count: number, run: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const turn = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, i) => run(from + i));
    results.push(...(await Promise.all(turn)));
  }
  return results;
}
