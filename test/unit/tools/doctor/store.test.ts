import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVariables } from "../../../../src/config/read-variables.ts";
import { variables } from "../../../../src/config/variables-table.ts";
import { aclRules } from "../../../../src/tools/doctor/acl.ts";
import { lookAtStore } from "../../../../src/tools/doctor/store.ts";
import {
  nobody,
  saying,
  serve,
  serveSockets,
  serveUntrusted,
  type TestServer,
} from "../../../support/servers.ts";
import { type Harness, hasRedisServer, startHarness } from "../../../support/upstash-local.ts";

const TOKEN = "token-of-the-test-0123";
const PUT = "npx wrangler secret put UPSTASH_REDIS_REST_TOKEN --env staging";
const prefixes = { cache: "envoyou:cache", rateLimit: "envoyou:ratelimit", session: "envoyou:sessions" };

/** @param deadlineMs Of each request. Default long enough for a busy machine. */
async function look(
  url: string | undefined,
  token: string | undefined,
  more: Record<string, unknown> = {},
  deadlineMs = 20_000,
) {
  const vars = { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token, ...more };
  const values = readVariables(variables, vars, [], []);
  const names = Object.entries(vars).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const findings = await lookAtStore(
    { values, sources: new Map(names.map((name) => [name, "environment"])) },
    "staging",
    deadlineMs,
  );
  expect(JSON.stringify(findings)).not.toContain(TOKEN);
  return findings;
}
const states = (findings: { state: string }[]) => findings.map(({ state }) => state);

describe("a store that answers", () => {
  let upstash: Harness;
  beforeAll(async () => {
    upstash = await startHarness(hasRedisServer ? "required" : "embedded", aclRules({ prefixes }));
  });
  afterAll(() => upstash.stop());

  it("is well with the least that a token needs: how far away it is, and what the token may do", async () => {
    const findings = await look(upstash.url, upstash.token);
    expect(states(findings)).toEqual(["well", "well", "well"]);
    expect(findings[1]?.says).toMatch(/^Upstash: p50 of 10 pings from this machine is \d+(\.\d)? ms/);
    const left = (await upstash.redis.command("KEYS", "*doctor*")) as unknown[];
    expect(left.map(String), "what it wrote is gone").toEqual([]);
  });

  it("is too far away where a Worker would not wait that long", async () => {
    const far = await serve(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const headers = { authorization: request.headers.authorization ?? "" };
      const reply = await fetch(`${upstash.url}${request.url}`, {
        method: "POST",
        headers,
        body: Buffer.concat(parts),
      });
      response
        .writeHead(reply.status, { "content-type": "application/json" })
        .end(Buffer.from(await reply.arrayBuffer()));
    });
    const findings = await look(far.url, upstash.token, { STORE_DEADLINE_MS: 10 });
    await far.stop();
    expect(findings[1]?.state).toBe("wrong");
  });

  it("refuses a token that is another's", async () => {
    const [finding] = await look(upstash.url, TOKEN);
    expect(finding).toMatchObject({ state: "wrong", fix: PUT });
    expect(finding?.says).toMatch(/refuses the token \(401\)/);
  });

  it("is asked at an address that ends with a slash or has a path", async () => {
    expect(states(await look(`${upstash.url}/`, upstash.token))).toEqual(["well", "well", "well"]);
    expect((await look(`${upstash.url}/other`, upstash.token))[0]?.says).toContain("answers 400");
  });
});

describe.runIf(hasRedisServer)("a token that may do less", () => {
  it.each([
    ["reads only", ["~*", "+@read", "+ping"], "the token is read-only"],
    [
      "no sorted sets",
      aclRules({ prefixes }).filter((rule) => !rule.startsWith("+z")),
      "may not run ZADD, ZCARD",
    ],
    [
      "keys of another prefix",
      aclRules({ prefixes: { ...prefixes, session: "other" } }),
      "may not run SET, GET, DEL on keys envoyou:sessions:*",
    ],
    ["nothing but PING", ["+ping"], "may not run"],
  ])("%s: the line says what it lacks", async (_, rules, says) => {
    const upstash = await startHarness("required", rules);
    try {
      const findings = await look(upstash.url, upstash.token);
      expect(states(findings)).toEqual(["well", "well", "wrong"]);
      expect(findings[2]?.says).toContain(says);
      expect(findings[2]?.fix).toContain(PUT);
    } finally {
      await upstash.stop();
    }
  });
});

const quota = '[{"error":"ERR max requests limit exceeded. Limit: 500000, Usage: 500000"}]';

it("a store that accepts and is silent is wrong, with a reason", async () => {
  const server = await serveSockets();
  try {
    const findings = await look(server.url, TOKEN, {}, 500);
    expect(states(findings)).toEqual(["wrong"]);
    expect(findings[0]?.says).toContain("no answer within 500 ms");
    expect(findings[0]?.fix).toBeTruthy();
  } finally {
    await server.stop();
  }
});

it.each<[string, () => Promise<TestServer>, string]>([
  ["breaks the connection", () => serveSockets((socket) => socket.destroy()), "the connection broke"],
  ["speaks no HTTP", () => serveSockets((socket) => socket.end("+PONG\r\n")), "speaks no HTTP"],
  [
    "answers HTML",
    () => saying(200, "<html>", { "content-type": "text/html" }),
    "text/html that is no reply",
  ],
  [
    "answers HTML with 502",
    () => saying(502, "<html>", { "content-type": "text/html" }),
    "502 with text/html",
  ],
  ["answers a JSON object", () => saying(200, '{"ok":true}'), "no reply of Upstash's REST API"],
  ["has used up its quota", () => saying(200, quota), "requests are used up"],
  [
    "says the same with 400",
    () => saying(400, '{"error":"ERR max daily request limit exceeded"}'),
    "used up",
  ],
  ["throttles", () => saying(429, "{}"), "(429)"],
  ["refuses with 403", () => saying(403, "{}"), "refuses the token (403)"],
  [
    "sends on",
    () => saying(301, "", { location: "https://other.example/x?token=1" }),
    "to https://other.example",
  ],
  ["has a certificate of nobody", serveUntrusted, "TLS"],
])("a store that %s is wrong, with a reason", async (_, start, says) => {
  const server = await start();
  try {
    const findings = await look(server.url, TOKEN);
    expect(states(findings)).toEqual(["wrong"]);
    expect(findings[0]?.says).toContain(says);
    expect(findings[0]?.says).not.toContain("token=1");
    expect(findings[0]?.fix).toBeTruthy();
  } finally {
    await server.stop();
  }
});

it.each([
  ["nothing listens", nobody, "nothing listens there"],
  ["no such host", async () => "https://no-such-host.invalid", "resolve"],
])("%s", async (_, url, says) => {
  expect((await look(await url(), TOKEN))[0]?.says).toContain(says);
});

it.each([
  ["no address", undefined, TOKEN, "UPSTASH_REDIS_REST_URL is not set"],
  ["an address over TCP", "rediss://default:p@x.upstash.io:6379", TOKEN, "is no address"],
  ["no token", "https://x.upstash.io", undefined, "UPSTASH_REDIS_REST_TOKEN is missing"],
])("%s: nothing is asked", async (_, url, token, says) => {
  const findings = await look(url, token);
  expect(states(findings)).toEqual(["wrong"]);
  expect(findings[0]?.says).toContain(says);
});
