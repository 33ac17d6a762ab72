import { expect, test } from "vitest";
import { type WarmAnswer, warmRoutes } from "../../../../src/endpoints/admin/warm.ts";
import { Problem } from "../../../../src/http/problem.ts";
import type { CacheOutcome } from "../../../../src/response-cache/outcome.ts";
import { testPlatform } from "../../../support/platform.ts";

/** Fields by which an origin claims that its answer is a hit and is stored. */
const LIES = { "x-cache": "HIT", "cache-status": "EnvoyouEdge;hit;stored" };
const miss = (stored: boolean): CacheOutcome => ({
  word: "MISS",
  status: { fwd: "uri-miss", stored },
  upstream: LIES["cache-status"],
});

const HOSTS = { consoleHost: "console.example", apiHost: null };

async function warm(answer: () => WarmAnswer): Promise<Record<string, unknown>[]> {
  const app = warmRoutes({
    answer: async () => answer(),
    hosts: HOSTS,
    owned: () => false,
    platform: testPlatform(),
  });
  const body = JSON.stringify({ paths: ["/v1/x"] });
  const response = await app.fetch(new Request("https://edge.example/cache/warm", { method: "POST", body }));
  return (await response.text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test.each<[string, CacheOutcome | null, object, object]>([
  ["stored", miss(true), { cache: "MISS", stored: true }, { stored: 1, fresh: 0 }],
  ["not stored", miss(false), { cache: "MISS", stored: false }, { stored: 0, fresh: 0 }],
  ["not the cache's", null, { cache: null, stored: false }, { stored: 0, fresh: 0 }],
  [
    "fresh already",
    { word: "HIT", status: { hit: true }, upstream: null },
    { cache: "HIT", stored: false },
    { stored: 0, fresh: 1 },
  ],
])(
  "an answer that is %s is reported by what the cache did, whatever its fields say",
  async (_, cache, line, sums) => {
    const [first, last] = await warm(() => ({ response: new Response("x", { headers: LIES }), cache }));
    expect(first).toMatchObject({ path: "/v1/x", status: 200, ...line });
    expect(last).toMatchObject({ done: true, paths: 1, failed: 0, ...sums });
  },
);

test("a refusal is reported by its status, any other error as 502", async () => {
  const refusal = new Problem({ status: 401, code: "NOT_FOUND", title: "x", message: "x" });
  for (const [error, status] of [
    [refusal, 401],
    [new Error("x"), 502],
  ] as const) {
    const [first, last] = await warm(() => {
      throw error;
    });
    expect(first).toMatchObject({ status, cache: null, stored: false });
    expect(last).toMatchObject({ failed: 1 });
  }
});
