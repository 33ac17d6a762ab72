import { describe, expect, test } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";
import { NOW } from "../../support/session-samples.ts";

const SERVICE_TOKEN = "service-token-of-this-test";
const ADMIN_TOKEN = "admin-token-of-this-test";

function open() {
  const platform = testPlatform({ now: NOW, fetch: async () => new Response("the origin's") });
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    SESSION_SECRET: "session-secret-of-this-test-only-0123",
    SERVICE_TOKEN,
    ADMIN_TOKEN,
    API_KEYS: "api-key-of-this-test-only:one:free",
  };
  const edge = edgeAnswer(openIsolate(env, [], platform));
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  return (path: string, init: RequestInit) => edge(new Request(`https://edge.example${path}`, init), context);
}

const HASH = "0".repeat(32);

type Row = [request: string, body: unknown, status: number, code: string, field?: string];

describe("bad input is a problem with the field and the reason", () => {
  test.each<Row>([
    ["POST /auth/sessions", {}, 422, "BAD_SESSION", "user_id"],
    ["POST /auth/sessions", { user_id: "u", ttl: 0 }, 422, "BAD_SESSION", "ttl"],
    ["POST /auth/sessions", { user_id: "u", ip_address: "x".repeat(65) }, 422, "BAD_SESSION", "ip_address"],
    ["POST /auth/sessions", { user_id: "u", ip_address: "\ud800" }, 422, "BAD_SESSION", "ip_address"],
    ["POST /auth/sessions", { user_id: "u", tier: "a\udc00" }, 422, "BAD_SESSION", "tier"],
    ["POST /auth/sessions", { user_id: "u", role: "admin" }, 422, "BAD_SESSION", "role"],
    ["POST /auth/sessions", { user_id: "a\ud800" }, 422, "BAD_SESSION", "user_id"],
    ["POST /auth/sessions", { user_id: "." }, 400, "UNNAMEABLE_USER", "user_id"],
    ["POST /auth/sessions", { user_id: "" }, 422, "BAD_SESSION", "user_id"],
    ["POST /auth/sessions", "not json", 422, "BAD_SESSION", "body"],
    [
      "POST /auth/sessions",
      { user_id: "u", user_data: "x".repeat(17_000) },
      413,
      "USER_DATA_TOO_LARGE",
      "user_data",
    ],
    [
      "POST /auth/sessions",
      { user_id: "u", device_info: "x".repeat(5000) },
      413,
      "DEVICE_INFO_TOO_LARGE",
      "device_info",
    ],
    [
      "POST /auth/sessions",
      { user_id: "u", user_data: "x".repeat(70_000) },
      413,
      "CONTENT_TOO_LARGE",
      "body",
    ],
    ["POST /edge/cache/purge", {}, 400, "BAD_PURGE", "body"],
    ["POST /edge/cache/purge", { files: ["/a", "b"] }, 400, "BAD_PURGE", "files[1]"],
    ["POST /edge/cache/purge", { prefixes: ["a"] }, 400, "BAD_PURGE", "prefixes[0]"],
    ["POST /edge/cache/purge", { tags: "a" }, 400, "BAD_PURGE", "tags"],
    ["POST /edge/cache/purge", { hosts: ["a"] }, 400, "BAD_PURGE", "hosts"],
    ["POST /edge/cache/purge", `{"tags":["${"x".repeat(2_100_000)}"]}`, 413, "CONTENT_TOO_LARGE", "body"],
    ["POST /edge/cache/warm", { paths: [] }, 400, "BAD_WARM", "paths"],
    ["POST /edge/cache/warm", { paths: ["/a", "//evil.example/x"] }, 400, "BAD_WARM", "paths[1]"],
    ["POST /edge/limits/lookup", { address: "here" }, 400, "UNKNOWN_CALLER", "address"],
    ["POST /edge/limits/lookup", { address: "1.2.3.4", reset: 1 }, 400, "UNKNOWN_CALLER", "reset"],
    ["POST /edge/keys/lookup", {}, 400, "UNKNOWN_CALLER", "key"],
    ["POST /edge/keys/lookup", { key: "api-key-of-this-test-only" }, 400, "UNKNOWN_CALLER", "key"],
    ["GET /edge/limits/ada", null, 400, "UNKNOWN_CALLER", "caller"],
    ["DELETE /edge/limits/hash:0", null, 400, "UNKNOWN_CALLER", "caller"],
    ["GET /edge/limits/key:two", null, 404, "CALLER_NOT_FOUND"],
    ["GET /edge/keys/lookup", null, 400, "UNKNOWN_CALLER", "key"],
    [`DELETE /edge/keys/${HASH}`, null, 400, "UNKNOWN_CALLER", "key"],
    ["GET /auth/sessions/redis/unknown", null, 404, "SESSION_NOT_FOUND"],
    ["PUT /edge/cache/purge", {}, 405, "METHOD_NOT_ALLOWED"],
  ])("%s %j is %i %s", async (request, body, status, code, field) => {
    const [method = "", path = ""] = request.split(" ");
    const token = path.startsWith("/edge") ? ADMIN_TOKEN : SERVICE_TOKEN;
    const response = await open()(path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== null && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const problem = await response.json<{ code: string; errors?: { field: string; reason: string }[] }>();
    expect([response.status, problem.code, problem.errors?.[0]?.field]).toEqual([status, code, field]);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    if (field) expect(problem.errors?.[0]?.reason).toMatch(/^(must|is|stands) ./);
  });

  test.each([
    ["/auth/sessions", SERVICE_TOKEN],
    ["/edge/cache/purge", ADMIN_TOKEN],
    ["/edge/cache/warm", ADMIN_TOKEN],
    ["/edge/limits/lookup", ADMIN_TOKEN],
    ["/edge/keys/lookup", ADMIN_TOKEN],
  ])("a POST to %s of another type is a 415 that says which type it must be", async (path, token) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/xml" };
    const response = await open()(path, { method: "POST", headers, body: "<a/>" });
    expect([response.status, response.headers.get("accept")]).toEqual([415, "application/json"]);
    const { code, errors } = await response.json<{ code: string; errors: object[] }>();
    expect(code).toBe("UNSUPPORTED_CONTENT");
    expect(errors).toEqual([{ in: "header", field: "Content-Type", reason: "must be application/json" }]);
    // Whoever has no token learns nothing of what a body must be.
    expect((await open()(path, { method: "POST", body: "<a/>" })).status).toBe(401);
  });
});
