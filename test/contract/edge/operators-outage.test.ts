import { describe, expect, it } from "vitest";
import { ADMIN_TOKEN, METRICS_TOKEN, meteredEdge } from "../../support/metered-edge.ts";

const DEADLINE_MS = 400;
/** The longest that one call to the store may take. */
const CEILING_MS = 3 * DEADLINE_MS;
const HASH = "0123456789abcdef0123456789abcdef";

interface Question {
  method: string;
  path: string;
  body?: object;
  token?: string;
}

const get = (path: string): Question => ({ method: "GET", path });
const remove = (path: string): Question => ({ method: "DELETE", path });
const post = (path: string, body: object): Question => ({ method: "POST", path, body });

/** Nothing of it is known, and the message says of what. */
const unavailable = (what: string) => ({
  code: "STORE_UNAVAILABLE",
  message: `Redis has ${what} and cannot be asked.`,
});
const COUNTS = unavailable("the counts of limits");
const KEYS = unavailable("what your API has said of keys");
const here = { reach: "this isolate" };
/** What this isolate knows of the limits; nothing is known of the tier. */
const asKnownHere = {
  tier: null,
  limits: expect.arrayContaining([expect.objectContaining({ name: "few", source: "memory", remaining: 5 })]),
};

/** What operators ask; how many calls after each other that may take; and what is said where Redis answers none of them. */
const QUESTIONS: [ask: Question, calls: number, status: number, told: object][] = [
  [
    get("/edge/overview"),
    1,
    200,
    {
      complete: false,
      isolates: null,
      series: null,
      health: { status: "degraded", store: { status: "unavailable", available: false } },
    },
  ],
  [get("/edge/limits/user:ada"), 1, 200, asKnownHere],
  [get(`/edge/limits/hash:${HASH}`), 1, 200, asKnownHere],
  [post("/edge/limits/lookup", { user: "ada" }), 1, 200, asKnownHere],
  [post("/edge/limits/lookup", { address: "192.0.2.9" }), 1, 200, asKnownHere],
  [post("/edge/limits/lookup", { hash: HASH }), 1, 200, asKnownHere],
  [post("/edge/limits/lookup", { user: "ada", reset: true }), 1, 503, COUNTS],
  [post("/edge/limits/lookup", { address: "192.0.2.9", reset: true }), 1, 503, COUNTS],
  [remove("/edge/limits/user:ada"), 1, 503, COUNTS],
  [remove(`/edge/limits/hash:${HASH}`), 1, 503, COUNTS],
  [get(`/edge/keys/hash:${HASH}`), 1, 503, KEYS],
  [post("/edge/keys/lookup", { key: "a key of somebody" }), 1, 503, KEYS],
  [post("/edge/keys/lookup", { key: "a key of somebody", end: true }), 1, 202, here],
  [remove(`/edge/keys/hash:${HASH}`), 1, 202, here],
  [get("/edge/cache/purges"), 1, 200, { complete: false, purges: [] }],
  [post("/edge/cache/purge", { tags: ["prices"] }), 1, 202, here],
  [post("/edge/cache/purge", { users: ["ada"] }), 1, 202, here],
  [post("/edge/cache/purge", { purge_everything: true }), 1, 202, here],
  [post("/edge/users/sign-out", { user: "ada" }), 1, 202, here],
  [post("/edge/users/sign-out", { everyone: true }), 1, 202, here],
  [post("/edge/users/export", { user: "ada" }), 1, 200, { complete: false, sessions: [] }],
  [
    post("/edge/users/delete", { user: "ada" }),
    2,
    202,
    { ...here, sessions: "pending", limits: "repeat", cached_answers: "pending" },
  ],
  [post("/edge/routes/lookup", { method: "GET", path: "/limited" }), 0, 200, { route: "/limited" }],
];

const called = ({ method, path, body }: Question) => `${method} ${path} ${JSON.stringify(body ?? "")}`;

function world() {
  const edge = meteredEdge({
    env: { STORE_DEADLINE_MS: String(DEADLINE_MS) },
    routes: [{ path: "/limited", limits: [{ name: "few", limit: 5, window: "1 h" }] }, { path: "/*" }],
  });

  /** Asks, and lets a call's longest time pass whenever one hangs. */
  async function ask({ method, path, body, token = ADMIN_TOKEN }: Question) {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const since = edge.platform.now();
    let hung = edge.wire.hanging;
    let answered = false;
    const answer = edge
      .send(path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
      .finally(() => {
        answered = true;
      });
    while (!answered) {
      if (edge.wire.hanging > hung) edge.platform.advance(CEILING_MS);
      hung = edge.wire.hanging;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return { response: await answer, ms: edge.platform.now() - since };
  }

  // With what it does after its response: nothing but the question may hang.
  return { ...edge, ask, use: () => edge.ask("/limited") };
}

describe("while Redis accepts calls and never answers", () => {
  it.each(QUESTIONS.map((row) => [called(row[0]), ...row] as const))(
    "%s answers within its calls' deadlines, and says what it cannot know",
    async (_what, question, calls, status, told) => {
      const { ask, wire, ask: again, use } = world();
      await use();
      wire.hangs = true;
      const { response, ms } = await ask(question);
      expect({ status: response.status, body: await response.json() }).toMatchObject({ status, body: told });
      expect(ms).toBeLessThanOrEqual(calls * CEILING_MS);
      if (response.status === 503) expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
      // Three calls that have failed open the breaker: then nobody waits.
      for (let failed = 0; failed < 3; failed += 1) await again(remove(`/edge/keys/hash:${HASH}`));
      const before = wire.calls.length;
      const known = await again(question);
      expect([known.response.status, known.ms, wire.calls.length - before]).toEqual([status, 0, 0]);
    },
  );

  it("GET /health answers within a call's deadline once the last reply is five seconds ago", async () => {
    const { ask, wire, use, platform } = world();
    await use();
    platform.advance(5000);
    wire.hangs = true;
    const { response, ms } = await ask(get("/health"));
    expect(await response.json()).toMatchObject({ system: { redis: { status: "unavailable" } } });
    expect(ms).toBeLessThanOrEqual(CEILING_MS);
  });

  it("GET /edge/metrics answers within a call's deadline and says that it is partial", async () => {
    const { ask, wire, use } = world();
    await use();
    wire.hangs = true;
    const { response, ms } = await ask({ ...get("/edge/metrics"), token: METRICS_TOKEN });
    expect(response.status).toBe(200);
    expect(ms).toBeLessThanOrEqual(CEILING_MS);
    const text = await response.text();
    expect(text).toContain("envoyou_edge_metrics_complete 0");
    expect(text).toContain('partial="true"');
  });

  it("the overview of a store that refuses a command does not say that it does not answer", async () => {
    const { ask, wire } = world();
    wire.refused = ["hgetall"];
    const { response } = await ask(get("/edge/overview"));
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { complete: false, isolates: null, health: { store: { status: "healthy" } } },
    ]);
  });
});
