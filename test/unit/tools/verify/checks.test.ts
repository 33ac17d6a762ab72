import { afterAll, beforeAll, expect, it } from "vitest";
import { run } from "../../../../src/tools/check/run.ts";
import { type Harness, openHarness } from "../../../support/edge/harness.ts";

const ROUTES = [
  {
    path: "/v1/emissions/units",
    limits: [{ name: "verify", limit: 20, window: "1 d", algorithm: "fixed-window" }],
  },
  { path: "/v1/emissions/*", cache: { ttl: 60, scope: "shared" } },
];
let harness: Harness;
beforeAll(async () => {
  harness = await openHarness({ vars: { ROUTES, UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" } });
});
afterAll(() => harness.stop());

it("npm run verify tells of each check, and exits 1 when one fails", async () => {
  const { code, output } = await run("node", ["src/tools/verify/main.ts", harness.edge.url], {
    SERVICE_TOKEN: harness.secrets.service,
  });
  const lines = output.split("\n").filter((line) => /^(✅|❌|\d)/.test(line));
  expect(lines).toEqual([
    "❌ Redis Connection: FAILED (Redis is not_configured)",
    expect.stringMatching(/^✅ Rate Limiting: PASSED \(refused after 20 requests, Retry-After \d+ s\)$/),
    "✅ Session Management: PASSED (created, read, kept from a stranger, deleted, gone)",
    "✅ Response Caching: PASSED (MISS then HIT, the same body)",
    "3/4 checks passed",
  ]);
  expect(code).toBe(1);
});

it("npm run verify says how it is used when it is given no address", async () => {
  const { code, output } = await run("node", ["src/tools/verify/main.ts"]);
  expect(code).toBe(2);
  expect(output).toContain("npm run verify -- https://");
});

it("npm run verify fails for an edge that is not there", async () => {
  const { code, output } = await run("node", ["src/tools/verify/main.ts", "http://127.0.0.1:1"]);
  expect(code).toBe(1);
  expect(output).toContain("0/4 checks passed");
});
