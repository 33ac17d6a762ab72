import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { type Edge, startEdge } from "../support/edge/start.ts";
import { shownBy } from "./commands.ts";

const METRICS_TOKEN = "metrics-token-of-this-test-only-0123";
const ROUTES = [
  { path: "/v1/emissions/*", cache: { ttl: 600, scope: "shared" } },
  { path: "/v1/user/*", access: "session", limits: [{ name: "user", limit: 2, window: "1 h" }] },
  { path: "/v1/echo/*", limits: [{ name: "echo", limit: 1, window: "1 h" }] },
];
const shown = shownBy("docs/operating.md").filter(({ command }) => command.includes("$EDGE"));

/** Types a command of the page as an operator does. */
async function typed(command: string, edge: Edge, admin: string): Promise<string> {
  const env = { ...process.env, EDGE: edge.url, ADMIN_TOKEN: admin, METRICS_TOKEN };
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { env });
  return stdout.trim();
}

/** What is shown, as a pattern: `<…>` stands for what differs. */
function patternOf(lines: readonly string[]): RegExp {
  const text = lines.map((line) =>
    line
      .split(/<[^>]*>/)
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join('[^"\\s]+'),
  );
  return new RegExp(`^${text.join("\n")}$`);
}

/** An Upstash at its limit: every command is an error, in a reply of status 200. */
async function usedUp() {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown[];
      const error = "ERR max requests limit exceeded. Limit: 500000, Usage: 500000.";
      const isOne = typeof body[0] === "string";
      response.writeHead(isOne ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(isOne ? { error } : body.map(() => ({ error }))));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => server.close() };
}

describe.runIf(inject("redisKind") === "redis-server")("the runbook", () => {
  let harness: Harness;
  const answered = new Set<string>();
  const named = (text: string) => {
    const found = shown.find(({ command }) => command.includes(text));
    if (!found) throw new Error(`docs/operating.md has no command with ${text}`);
    answered.add(found.command);
    return found;
  };
  const holds = async (text: string, edge = harness.edge) => {
    const { command, lines } = named(text);
    const printed = await typed(command, edge, harness.secrets.admin);
    expect(printed, command).toMatch(patternOf(lines));
  };
  /** Signs a user in, and uses up the user's limit. */
  const using = async (user: string) => {
    const headers = { authorization: `Bearer ${await harness.token(user)}` };
    const statuses: number[] = [];
    for (let sent = 0; sent < 3; sent += 1)
      statuses.push((await harness.edge.fetch("/v1/user/me", { headers })).status);
    return { headers, statuses };
  };

  beforeAll(async () => {
    harness = await openHarness({ vars: { ROUTES, METRICS_TOKEN } });
  });
  afterAll(() => harness.stop());

  it("finds a bot", async () => {
    for (let sent = 0; sent < 4; sent += 1)
      await harness.edge.fetch("/v1/echo/x", { address: "198.51.100.9" });
    // It is written beside requests, at most every ten seconds.
    const { command, lines } = named("denied_caller");
    const pattern = patternOf(lines);
    await expect
      .poll(
        async () => {
          await harness.edge.fetch("/v1/emissions/plain");
          return typed(command, harness.edge, harness.secrets.admin).catch(() => "");
        },
        { interval: 500 },
      )
      .toMatch(pattern);
  });

  it("resets who is limited", async () => {
    const { headers, statuses } = await using("u_1");
    expect(statuses.at(-1)).toBe(429);
    await holds("/edge/limits/");
    expect((await harness.edge.fetch("/v1/user/me", { headers })).status).not.toBe(429);
  });

  it("purges", async () => holds("/edge/cache/purge"));

  it("exports and deletes one user", async () => {
    await holds("/users/export");
    const { headers } = await using("u_1");
    await holds("/users/delete");
    expect((await harness.edge.fetch("/v1/user/me", { headers })).status).toBe(401);
  });

  it("signs everybody out", async () => {
    const { headers } = await using("u_2");
    await holds("/users/sign-out");
    expect((await harness.edge.fetch("/v1/user/me", { headers })).status).toBe(401);
  });

  it("ends a key", async () => holds("/edge/keys/lookup"));

  it("says that the quota is used up", async () => {
    const upstash = await usedUp();
    const edge = await startEdge({
      vars: {
        UPSTASH_REDIS_REST_URL: upstash.url,
        UPSTASH_REDIS_REST_TOKEN: "any",
        ROUTES,
        METRICS_TOKEN,
        ORIGIN_URL: harness.origin.url,
      },
    });
    try {
      for (let sent = 0; sent < 4; sent += 1) await edge.fetch("/v1/echo/z");
      await holds("store_lost", edge);
    } finally {
      await edge.stop();
      upstash.stop();
    }
  });

  it("says that Upstash is down, and requests are answered all the same", async () => {
    await harness.upstash.redis.stop();
    // It asks Redis at most every 5 s.
    const status = async () => (await (await harness.edge.fetch("/health")).json()) as { status: string };
    await expect.poll(status, { interval: 500 }).toMatchObject({ status: "degraded" });
    await holds(".system.redis.status");
    expect((await harness.edge.fetch("/v1/echo/y", { address: "198.51.100.11" })).status).toBe(200);
  });

  it("has no command that is not typed here", () => {
    expect(shown.length).toBe(9);
    expect(shown.map(({ command }) => command).filter((command) => !answered.has(command))).toEqual([]);
  });
});
