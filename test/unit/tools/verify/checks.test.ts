import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../../src/tools/check/run.ts";
import { type Harness, openHarness } from "../../../support/edge/harness.ts";
import {
  nobody,
  saying,
  serve,
  serveSockets,
  serveUntrusted,
  type TestServer,
} from "../../../support/servers.ts";

const ROUTES = [
  {
    path: "/v1/emissions/units",
    limits: [{ name: "verify", limit: 20, window: "1 d", algorithm: "fixed-window" }],
  },
  {
    path: "/v1/emissions/used",
    limits: [{ name: "used", limit: 2, window: "1 d", by: "address", algorithm: "fixed-window" }],
    cache: { ttl: 60, scope: "shared" },
  },
  { path: "/v1/echo/short", limits: [{ name: "short", limit: 3, window: "8 s", by: "address" }] },
  {
    path: "/v1/echo/bucket",
    limits: [{ name: "b", capacity: 3, refill: 1, window: "1 m", algorithm: "token-bucket" }],
  },
  {
    path: "/v1/echo/large",
    limits: [{ name: "large", limit: 100_000, window: "1 d", algorithm: "fixed-window" }],
  },
  { path: "/v1/echo/shadow", limits: [{ name: "shadow", limit: 2, window: "1 d", shadow: true }] },
  { path: "/v1/emissions/*", cache: { ttl: 60, scope: "shared" } },
];

async function verify(address: string, args: string[] = [], serviceToken = "") {
  const { code, output } = await run("node", ["src/tools/verify/main.ts", address, ...args], {
    SERVICE_TOKEN: serviceToken,
  });
  if (serviceToken) expect(output).not.toContain(serviceToken);
  expect(output, "no limit holds after 0 requests").not.toMatch(/after 0 requests/);
  const lines = output.split("\n");
  const line = (name: string) => lines.find((each) => each.includes(name)) ?? "";
  return {
    code,
    output,
    limiting: line("Rate Limiting"),
    caching: line("Response Caching"),
    last: lines.at(-2),
  };
}

describe("an edge that is well", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness({ vars: { ROUTES } });
  });
  afterAll(() => harness.stop());
  const port = () => new URL(harness.edge.url).port;

  it("passes twice within a minute: each run is a new user's", async () => {
    for (let each = 0; each < 2; each += 1) {
      const { code, output, limiting, last } = await verify(
        `127.0.0.1:${port()}`,
        [],
        harness.secrets.service,
      );
      expect(limiting, output).toMatch(
        /^✅ Rate Limiting: PASSED \(refused after 20 requests, Retry-After \d+ s\)$/,
      );
      expect(last).toBe("4/4 checks passed");
      expect(code).toBe(0);
    }
    const sessions = await harness.upstash.redis.command("KEYS", "envoyou:sessions:????????-*");
    expect(sessions, "its sessions are ended").toEqual([]);
  });

  it.each([
    ["a bucket", "/v1/echo/bucket", /PASSED \(refused after 3 requests/],
    ["too many to use up", "/v1/echo/large", /PASSED \(200 requests took the count from 99999 to 99800;/],
    [
      "only watched",
      "/v1/echo/shadow",
      /FAILED \(\d+ requests at \d remaining, and none was refused|shows no X-RateLimit/,
    ],
    [
      "without a limit",
      "/v1/echo/other",
      /FAILED \(\/v1\/echo\/other shows no X-RateLimit-Remaining: name a limited path/,
    ],
  ])("a limit that is %s", { timeout: 240_000 }, async (_, path, says) => {
    const { limiting } = await verify(harness.edge.url, ["--limited", path], harness.secrets.service);
    expect(limiting).toMatch(says);
  });

  it("a limit that somebody has used up for a day is not tested, and no fault", async () => {
    for (let each = 0; each < 3; each += 1) await fetch(`${harness.edge.url}/v1/emissions/used`);
    const args = ["--limited", "/v1/emissions/used", "--cached", "/v1/emissions/used"];
    const { code, limiting, caching, last } = await verify(harness.edge.url, args, harness.secrets.service);
    expect(limiting).toMatch(
      /^➖ Rate Limiting: NOT TESTED \(the limit of \/v1\/emissions\/used was used up before/,
    );
    expect(caching).toMatch(/^➖ Response Caching: NOT TESTED/);
    expect(last).toBe("2/4 checks passed, 2 not tested");
    expect(code).toBe(0);
  });

  it("a limit that is used up for a moment is waited for", async () => {
    const path = "/v1/echo/short";
    for (let each = 0; each < 9; each += 1) await fetch(`${harness.edge.url}${path}`);
    const { limiting } = await verify(harness.edge.url, ["--limited", path], harness.secrets.service);
    expect(limiting).toMatch(/PASSED \(refused after [1-9]\d* requests/);
  });

  it.each([
    ["none", "", /FAILED \(set SERVICE_TOKEN/],
    [
      "another's",
      "another-token-0123456789",
      /FAILED \(creating one answered 401 TOKEN_REQUIRED: SERVICE_TOKEN is not/,
    ],
  ])("with a service token that is %s the sessions fail", async (_, token, says) => {
    const { code, output } = await verify(harness.edge.url, [], token);
    expect(output).toMatch(says);
    expect(code).toBe(1);
  });

  it("is found behind a redirect on its host, and not behind one to another", async () => {
    const to = (target: string) => saying(308, "", { location: `${target}/health` });
    const near = await to(harness.edge.url);
    const far = await to(`http://localhost:${port()}`);
    const followed = await verify(near.url, [], harness.secrets.service);
    expect(followed.output).toContain(`leads to ${harness.edge.url}: verifying that`);
    expect(followed.output).toContain("✅ Session Management: PASSED");
    const refused = await verify(far.url, [], harness.secrets.service);
    expect(refused.output).toContain(`sends on to http://localhost:${port()}: verify that address`);
    expect(refused.code).toBe(1);
    await near.stop();
    await far.stop();
  });
});

it("an edge without a store passes what does not need one", async () => {
  const harness = await openHarness({
    vars: { ROUTES, UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" },
  });
  const { code, output } = await verify(harness.edge.url, [], harness.secrets.service);
  await harness.stop();
  expect(output.trim().split("\n")).toEqual([
    "❌ Redis Connection: FAILED (Redis is not_configured)",
    expect.stringMatching(/^✅ Rate Limiting: PASSED \(refused after 20 requests, Retry-After \d+ s\)$/),
    "✅ Session Management: PASSED (created, read, kept from a stranger, deleted, gone)",
    "✅ Response Caching: PASSED (MISS then HIT, the same body)",
    "3/4 checks passed",
  ]);
  expect(code).toBe(1);
});

it("an edge that only observes is not tested for what it refuses", async () => {
  const harness = await openHarness({ vars: { ROUTES, EDGE_MODE: "observe" } });
  const { limiting } = await verify(harness.edge.url, [], harness.secrets.service);
  await harness.stop();
  expect(limiting).toMatch(/NOT TESTED \(EDGE_MODE is observe/);
});

const html = { "content-type": "text/html" };

it.each<[string, () => Promise<TestServer>, string]>([
  [
    "is a web page",
    () => saying(200, "<!doctype html>", html),
    "this is no edge: /health answered 200, text/html",
  ],
  ["has nothing there", () => saying(404, "{}"), "this is no edge: /health answered 404, application/json"],
  ["has another health", () => saying(200, '{"status":"ok"}'), "this is no edge"],
  ["answers JSON that is no object", () => saying(200, "null"), "this is no edge"],
  ["limits at Cloudflare", () => saying(429, "error code: 1015", html), "not the edge's"],
  [
    "asks for a sign-in",
    () => saying(302, "", { location: "https://x.cloudflareaccess.com/?kid=1" }),
    "https://x.cloudflareaccess.com: verify",
  ],
  ["sends round in circles", () => saying(301, "", { location: "/health" }), "/health answered 301"],
  ["breaks the connection", () => serveSockets((socket) => socket.destroy()), "the connection broke"],
  ["is silent", () => serveSockets(), "no answer within 10 s"],
  ["has a certificate of nobody", serveUntrusted, "TLS"],
  ["nobody is at", async () => ({ url: await nobody(), stop: async () => {} }), "nothing listens there"],
])("an address that %s fails with that reason", async (_, start, says) => {
  const server = await start();
  const { code, output, last } = await verify(server.url, [], "service-token-0123456789");
  await server.stop();
  expect(output).toContain(says);
  expect(last).toBe("0/4 checks passed");
  expect(code).toBe(1);
});

it("gives the service token to nobody that is no edge", async () => {
  const seen: unknown[] = [];
  const server = await serve((request, response) => {
    seen.push(request.headers.authorization);
    response.end("{}");
  });
  await verify(server.url, [], "service-token-0123456789");
  await server.stop();
  expect(seen).toEqual([undefined]);
});

it.each([
  [[], "npm run verify -- https://"],
  [["ftp://edge.example.com"], "not ftp"],
  [["https://user:hunter2@edge.example.com"], "no user or password"],
  [["edge.example.com", "--nope"], "--nope"],
  [["edge.example.com", "other.example.com"], "One address"],
])("is told how it is used: %j", async (args, says) => {
  const { code, output } = await run("node", ["src/tools/verify/main.ts", ...args]);
  expect(code).toBe(2);
  expect(output).toContain(says);
  expect(output).not.toContain("hunter2");
});
