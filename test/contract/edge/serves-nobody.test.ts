import { describe, expect, it } from "vitest";
import { bearing, edgeOfAllKinds, LIMITED, signIn, traffic } from "../../support/edge/traffic.ts";

interface Item {
  result?: unknown;
  error?: string;
}

/** What a store answers each command with that serves nobody at the moment. */
const REFUSALS = [
  "LOADING Redis is loading the dataset in memory",
  "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "CLUSTERDOWN The cluster is down",
  "NOAUTH Authentication required.",
  "WRONGPASS invalid or missing auth token",
  "unauthorized",
];

/** Isolates whose store refuses all commands of a reply with `wire.refusal`, or only the first. */
function opened() {
  const edge = edgeOfAllKinds();
  const wire = { refusal: "", calls: 0, firstOnly: false };
  const ask = edge.platform.fetch;
  edge.platform.fetch = async (input, init) => {
    wire.calls += 1;
    if (!wire.refusal) return ask(input, init);
    const items = (await (wire.firstOnly ? (await ask(input, init)).json() : commandsOf(init))) as Item[];
    return Response.json(
      items.map((item, index) => (wire.firstOnly && index > 0 ? item : { error: wire.refusal })),
    );
  };
  const facts = async () => JSON.parse((await edge.ask("/health")).text);
  return { ...edge, wire, facts };
}
const commandsOf = (init?: RequestInit) => JSON.parse(String(init?.body)) as unknown[];
const wrong = (status: number) => status >= 400;

describe.each(REFUSALS)("a store that refuses whatever it is sent: %s", (refusal) => {
  it("is lost: no request fails or waits for it, limits hold, and /health says so", async () => {
    const edge = opened();
    const token = await signIn(edge);
    edge.wire.refusal = refusal;
    for (const isolate of [0, 1]) expect(await traffic(edge, { token, isolate, wrong })).toEqual([]);
    expect(await edge.facts()).toMatchObject({
      status: "degraded",
      system: { redis: { available: false } },
      services: { rate_limiting: "memory", session_storage: "memory", response_cache: "memory" },
    });
    const { calls } = edge.wire;
    for (const [path, limit] of Object.entries(LIMITED)) {
      let passed = 0;
      for (let n = 0; n < limit + 3; n += 1)
        passed += (await edge.ask(path, { address: "192.0.2.99" })).status === 200 ? 1 : 0;
      expect([path, passed]).toEqual([path, limit]);
    }
    expect(edge.wire.calls, "nobody asks it").toBe(calls);
  });

  it("is found again, and what it refused is counted and ended there then", async () => {
    const edge = opened();
    const token = await signIn(edge);
    edge.wire.refusal = refusal;
    for (let n = 0; n < 4; n += 1) await edge.ask("/fixed");
    const user = "/auth/sessions/users/ada";
    const server = bearing("service-token-of-this-test-only-01");
    expect((await edge.ask(user, { method: "DELETE", headers: server })).status).toBe(202);
    edge.wire.refusal = "";
    for (let n = 0; n < 6; n += 1) {
      edge.platform.advance(9000);
      await edge.ask("/live");
      await edge.ask("/plain");
    }
    expect(await edge.facts()).toMatchObject({ status: "healthy", services: { rate_limiting: "redis" } });
    let passed = 0;
    for (let n = 0; n < 4; n += 1)
      passed += (await edge.ask("/fixed", { isolate: 1 })).status === 200 ? 1 : 0;
    expect(passed, "of 5, 4 have passed").toBe(1);
    expect((await edge.ask("/me/x", { isolate: 1, headers: bearing(token) })).status).toBe(401);
  });

  it("is not lost where it refuses one command of several", async () => {
    const edge = opened();
    const token = await signIn(edge);
    Object.assign(edge.wire, { refusal, firstOnly: true });
    for (let n = 0; n < 5; n += 1)
      expect((await edge.ask("/me/x", { headers: bearing(token) })).status).toBe(200);
    expect((await edge.facts()).system.redis.available).toBe(true);
  });
});
