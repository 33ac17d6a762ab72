import { execFile } from "node:child_process";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RouteInput } from "../../src/config/route.ts";
import { checkConfiguration } from "../../src/tools/check/configuration.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { expectRight, generated, isRoutes, routesOf } from "./generated.ts";
import { blocksOf } from "./markdown.ts";

const run = promisify(execFile);
const blocks = blocksOf("docs/migrating.md");
const textsOf = (language: string) =>
  blocks.filter((block) => block.language === language).map(({ text }) => text);

describe("docs/migrating.md: the variables", () => {
  it("are a configuration that is right", async () => {
    const [vars = ""] = textsOf("toml");
    expect(vars).toContain("UPSTASH_REDIS_REST_URL");
    const withToken = `${vars}\nUPSTASH_REDIS_REST_TOKEN = "set-with-wrangler-secret-put"\n`;
    expect((await check(withToken)).issue).toBeNull();
  });

  it.each(["REDIS_URL", "UPSTASH_REDIS_REST_URL"])(
    "%s with an address over TCP is an error without the password",
    async (name) => {
      const { issue } = await check(
        `[vars]\n${name} = "rediss://default:hunter2hunter2@eu1.upstash.io:6379"\n`,
      );
      expect(issue).toContain("UPSTASH_REDIS_REST_URL");
      expect(issue).toContain("REST API");
      expect(issue).not.toContain("hunter2");
    },
  );
});

describe("docs/migrating.md: the lines for a handler", () => {
  let harness: Harness;
  let values: Record<string, unknown>;
  beforeAll(async () => {
    const lines = textsOf("ts").filter((text) => !isRoutes(text));
    harness = await openHarness({ entry: await handlerOf(lines.join("\n")) });
    const response = await harness.edge.fetch("/");
    expect(response.status).toBe(200);
    values = (await response.json()) as Record<string, unknown>;
  });
  afterAll(() => harness.stop());

  it("redis_rate_limit: allowed, and what remains", () => {
    expect(values).toMatchObject({ allowed: true, remaining: 29 });
  });

  it("create_user_session and get_user_session: a token, an id, the record", () => {
    expect(values.token).toMatch(/^es1\./);
    expect(values.session).toMatchObject({
      session_id: values.sessionId,
      user_id: "test_user_123",
      user_data: { email: "test@example.com", name: "Test User" },
      device_info: { browser: "Chrome", os: "Linux" },
      ip_address: "127.0.0.1",
    });
  });

  it("validate_user_session, update_session_activity, delete_user_session", () => {
    expect(values).toMatchObject({
      valid: true,
      active: true,
      ended: "done",
      afterwards: { kind: "missing" },
    });
  });

  it("response_cache.set, get, delete and get_or_set", () => {
    expect(values).toMatchObject({
      stored: true,
      cached: { hit: true, value: { total: 0 } },
      deleted: true,
      computed: { total: 42 },
    });
  });
});

describe("docs/migrating.md: the routes and the requests", () => {
  let harness: Harness;
  let routes: RouteInput[];
  let answers: Answer[];
  beforeAll(async () => {
    const lists = textsOf("ts").filter(isRoutes);
    expect(lists).toHaveLength(1);
    routes = await routesOf("migrating-routes", lists[0] ?? "");
    harness = await openHarness({ vars: { ROUTES: routes } });
    answers = await requests(harness, textsOf("sh"));
  });
  afterAll(() => harness.stop());

  it("the routes have no issue, and limit and cache as they say", async () => {
    expectRight(routes);
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const login = { method: "POST", body: '{"user":"ada","password":"wrong"}' };
      statuses.push((await harness.edge.fetch("/v1/auth/login", login)).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await harness.edge.fetch("/v1/emissions/factors")).headers.get("x-cache")).toBe("MISS");
    expect((await harness.edge.fetch("/v1/emissions/factors")).headers.get("x-cache")).toBe("HIT");
  });

  it("each request is answered as the page says", () => {
    expect(answers.map(({ status }) => status)).toEqual([
      200, // purge
      200, // read by a server
      200, // read by the user
      200, // the user's own
      200, // the user's, for a server
      200, // ended
      401, // the token is dead
      200, // health
      200, // live
      200, // ready
    ]);
    expect(answers[0]?.body).toContain('"prefixes":1');
    for (const read of answers.slice(1, 3)) {
      expect(JSON.parse(read.body)).toMatchObject({ status: "success", session: { user_id: "user_123" } });
    }
    expect(answers[3]?.body).toContain('"current":true');
    expect(JSON.parse(answers[5]?.body ?? "")).toEqual({ status: "success", message: "Session deleted" });
    expect(JSON.parse(answers[7]?.body ?? "")).toMatchObject({
      status: "healthy",
      mode: "enforce",
      data: { status: "healthy", services: { rate_limiting: "redis", session_storage: "redis" } },
    });
  });
});

interface Answer {
  status: number;
  body: string;
}

async function check(vars: string) {
  const folder = await mkdtemp(join(tmpdir(), "envoyou-edge-docs-"));
  const file = join(folder, "wrangler.toml");
  await writeFile(file, `name = "docs"\nmain = "index.ts"\ncompatibility_date = "2026-04-24"\n${vars}`);
  return checkConfiguration(file, undefined);
}

/** A Worker whose one handler is the page's lines, and answers with every name that they declare. */
async function handlerOf(lines: string): Promise<string> {
  const names = [...lines.matchAll(/^const (\w+)\b/gm)].map(([, name]) => name);
  const source = `
import { Hono } from "hono";
import { edge } from "../../../src/middleware.ts";
const app = new Hono();
app.use("*", edge({ session: "optional" }));
app.get("/", async (c) => {
${lines}
return c.json({ ${names.join(", ")} });
});
export default app;
`;
  return generated("handler.ts", source);
}

/** Runs the lines in one shell, as a reader would, and takes apart what `curl -i` printed. */
async function requests({ edge, secrets }: Harness, texts: string[]): Promise<Answer[]> {
  const env = {
    ...process.env,
    EDGE: edge.url,
    SERVICE_TOKEN: secrets.service,
    ADMIN_TOKEN: secrets.admin,
  };
  const { stdout } = await run("bash", ["-euc", texts.join("\n")], { env });
  return stdout
    .split(/(?=HTTP\/1\.1 \d{3})/)
    .filter((part) => part.startsWith("HTTP/"))
    .map((part) => ({
      status: Number(part.slice(9, 12)),
      body: part.slice(part.indexOf("\r\n\r\n") + 4).trim(),
    }));
}
