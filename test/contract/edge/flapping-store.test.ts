import { describe, expect, it } from "vitest";
import { bearing, edgeOfAllKinds, LIMITED, signIn } from "../../support/edge/traffic.ts";

type Ask = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;

/** What becomes of a call that fails. */
const FAILURES: [what: string, fail: (ask: () => Promise<Response>) => Promise<Response>][] = [
  ["is cut before the store hears of it", () => Promise.reject(new TypeError("cut"))],
  ["is counted, and its reply lost", (ask) => ask().then(() => Promise.reject(new TypeError("cut")))],
  [
    "is counted, and answered 500",
    (ask) => ask().then(() => Response.json({ error: "ERR" }, { status: 500 })),
  ],
  [
    "is answered 429 with an odd Retry-After",
    async () => new Response("slow", { status: 429, headers: { "retry-after": "-1" } }),
  ],
  ["is a page to sign in", async () => new Response("<form>", { headers: { "content-type": "text/html" } })],
];
/** Which calls fail, by turns. Three in a row would open the breaker. */
const TURNS = [
  [true, false],
  [true, true, false],
  [false, false, true],
];

describe.each(FAILURES)("a store of which now and then a call %s", (_, fail) => {
  function opened(turns: readonly boolean[]) {
    const edge = edgeOfAllKinds();
    const ask: Ask = edge.platform.fetch;
    const wire = { flaps: false, calls: 0 };
    edge.platform.fetch = (input, init) => {
      wire.calls += 1;
      return wire.flaps && turns[wire.calls % turns.length] ? fail(() => ask(input, init)) : ask(input, init);
    };
    return { ...edge, wire };
  }

  it.each(TURNS)(
    "fails no request, and lets an isolate admit at most twice a limit: %s",
    async (...turns) => {
      const edge = opened(turns as boolean[]);
      const token = await signIn(edge);
      await edge.ask("/me/x", { headers: bearing(token) });
      edge.wire.flaps = true;
      const passed: Record<string, number> = {};
      for (const [path, limit] of Object.entries(LIMITED)) {
        passed[path] = 0;
        for (let n = 0; n < 3 * limit; n += 1) {
          const { status } = await edge.ask(path, { address: "192.0.2.99" });
          expect([200, 429]).toContain(status);
          passed[path] += status === 200 ? 1 : 0;
        }
      }
      for (const [path, limit] of Object.entries(LIMITED)) {
        expect(passed[path], path).toBeGreaterThanOrEqual(limit);
        expect(passed[path], path).toBeLessThanOrEqual(2 * limit);
      }
      for (let n = 0; n < 5; n += 1)
        expect((await edge.ask("/me/x", { headers: bearing(token) })).status).toBe(200);
    },
  );
});
