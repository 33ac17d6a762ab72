import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const ROUTES = [
  {
    path: "/v1/emissions/*",
    access: "session",
    limits: [
      { name: "burst", limit: 1000, window: "1 m" },
      { name: "day", limit: 5000, window: "1 d", algorithm: "fixed-window" },
    ],
    cache: { ttl: 60, scope: "shared" },
  },
  {
    path: "/v1/leased/*",
    limits: [{ name: "leased", limit: 1000, window: "1 d", algorithm: "fixed-window", lease: 20 }],
  },
  { path: "/v1/echo/blocked", limits: [{ name: "few", limit: 2, window: "1 d", algorithm: "fixed-window" }] },
];

describe("calls to Upstash before a response", () => {
  let harness: Harness;
  let bearer: { authorization: string };
  beforeAll(async () => {
    // The isolate answers alone for as long as it may: a busy machine takes longer than the usual five seconds.
    harness = await openHarness({ vars: { ROUTES, ISOLATE_MAX_AGE_MS: 60_000 } });
    bearer = { authorization: `Bearer ${await harness.token("user_123")}` };
    // Redis loads the scripts first: a NOSCRIPT costs one more call, once.
    await harness.edge.fetch("/v1/emissions/factors?taught", { headers: bearer });
    await harness.edge.fetch("/v1/echo/blocked");
    await harness.edge.fetch("/v1/leased/a");
  });
  afterAll(() => harness.stop());

  it("is one for two limits, a session and a cache rule; the entry is written after it", async () => {
    const { result, calls } = await harness.counting(() =>
      harness.edge.fetch("/v1/emissions/factors", { headers: bearer }),
    );
    expect(result.status).toBe(200);
    expect(result.headers.get("x-cache")).toBe("MISS");
    const line = harness.edge.log.findLast((each) => each.event === "request");
    expect(line?.store_calls, "calls before the response").toBe(1);
    expect(calls.length, "and one after it").toBe(2);
    expect(
      calls[0]?.filter((name) => name === "mget"),
      "all plain reads are one MGET",
    ).toHaveLength(1);
  });

  it("is one on a hit in the isolate, for the limits alone", async () => {
    const { result, calls } = await harness.counting(() =>
      harness.edge.fetch("/v1/emissions/factors", { headers: bearer }),
    );
    expect(result.headers.get("x-cache")).toBe("HIT");
    expect(calls).toHaveLength(1);
    expect(calls[0], "session and limits; the entry is not asked for").toEqual(["mget", "evalsha"]);
  });

  it("is none for a forged session", async () => {
    const { result, calls } = await harness.counting(() =>
      harness.edge.fetch("/v1/emissions/factors", {
        headers: { authorization: `${bearer.authorization.slice(0, -3)}xyz` },
      }),
    );
    expect(result.status).toBe(401);
    expect(calls).toEqual([]);
  });

  it("is none for a caller that is blocked already", async () => {
    const ask = () => harness.edge.fetch("/v1/echo/blocked");
    const statuses: number[] = [];
    for (let i = 0; i < 2; i += 1) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 429]);
    const { result, calls } = await harness.counting(ask);
    expect(result.status).toBe(429);
    expect(calls).toEqual([]);
  });

  it("is none while a lease lasts: 20 units a call", async () => {
    const { calls } = await harness.counting(async () => {
      for (let i = 0; i < 19; i += 1) await harness.edge.fetch("/v1/leased/a");
    });
    expect(calls).toEqual([]);
  });

  it("is none for a preflight", async () => {
    const cors = await openHarness({ vars: { ROUTES, CORS_ALLOWED_ORIGINS: "https://app.example.com" } });
    try {
      const { result, calls } = await cors.counting(() =>
        cors.edge.fetch("/v1/emissions/factors", {
          method: "OPTIONS",
          headers: { origin: "https://app.example.com", "access-control-request-method": "GET" },
        }),
      );
      expect(result.status).toBe(204);
      expect(calls).toEqual([]);
      expect(cors.origin.requests, "nor is the origin asked").toEqual([]);
    } finally {
      await cors.stop();
    }
  });
});

describe("somebody else's Hono app", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ entry: "test/support/workers/two-capabilities.ts" });
    for (const path of ["/both", "/limited", "/cached"]) await harness.edge.fetch(`${path}?warm`);
  });
  afterAll(() => harness.stop());

  it.each(["/both", "/limited", "/cached"])("makes one call before the response at %s", async (path) => {
    const { result, calls } = await harness.counting(() => harness.edge.fetch(path));
    expect(result.status).toBe(200);
    expect(harness.edge.log.findLast((each) => each.event === "request")?.store_calls).toBe(1);
    expect(calls.length).toBeLessThanOrEqual(2);
    if (path !== "/cached") expect(result.headers.get("x-ratelimit-limit")).toBe("5");
    if (path !== "/limited") expect(result.headers.get("x-cache")).toBe("MISS");
  });

  it("is cached, limited, and asks for a session where it was told to", async () => {
    const again = () => harness.edge.fetch("/both?again", { address: "198.51.100.8" });
    const [first, second] = [await again(), await again()];
    expect(second.headers.get("x-cache")).toBe("HIT");
    expect(await second.text()).toBe(await first.text());
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1)
      statuses.push((await harness.edge.fetch("/limited", { address: "198.51.100.9" })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    expect((await harness.edge.fetch("/signed-in")).status).toBe(401);
  });
});
