import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../../src/tools/check/run.ts";
import { aclRules } from "../../../../src/tools/doctor/acl.ts";
import { serve, serveSockets, type TestServer } from "../../../support/servers.ts";
import { type Harness, hasRedisServer, startHarness } from "../../../support/upstash-local.ts";

const SECRETS = {
  ORIGIN_TOKEN: "origin-token-0123456789",
  SESSION_SECRET: "session-secret-0123456789-0123456789",
  SERVICE_TOKEN: "service-token-0123456789",
};
const prefixes = { cache: "envoyou:cache", rateLimit: "envoyou:ratelimit", session: "mine:sessions" };
let folder: string;
let upstash: Harness;
let api: TestServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "envoyou-edge-doctor-"));
  upstash = await startHarness(hasRedisServer ? "required" : "embedded", aclRules({ prefixes }));
  api = await serve((request, response) => {
    response.writeHead(request.headers["x-edge-token"] === SECRETS.ORIGIN_TOKEN ? 200 : 403).end();
  });
  await writeFile(
    join(folder, "wrangler.toml"),
    `name = "edge"\nmain = "src/index.ts"\ncompatibility_date = "2026-04-24"\n[vars]\nREDIS_SESSION_PREFIX = "mine:sessions"\n`,
  );
});
afterAll(async () => {
  await upstash.stop();
  await api.stop();
  await rm(folder, { recursive: true, force: true });
});

async function doctor(args: string[], vars: Record<string, string>) {
  await writeFile(
    join(folder, ".dev.vars"),
    Object.entries(vars)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );
  const result = await run("node", [resolve("src/tools/doctor/main.ts"), ...args], {}, folder);
  for (const secret of [...Object.values(SECRETS), upstash.token])
    expect(result.output).not.toContain(secret);
  return result;
}
const all = () => ({
  ...SECRETS,
  ORIGIN_URL: api.url,
  UPSTASH_REDIS_REST_URL: upstash.url,
  UPSTASH_REDIS_REST_TOKEN: upstash.token,
});

describe("npm run doctor", () => {
  it("exits 0 where all is well, and prints the rules of its token", async () => {
    const { code, output } = await doctor(["--commands", "GET,LPUSH", "--keys", "orders:*"], all());
    expect(output).toContain("All is well.");
    expect(output).not.toContain("❌");
    expect(output).toMatch(
      /ACL SETUSER edge reset on >THE_TOKEN .* ~mine:sessions:\* ~orders:\* \+del .* \+lpush /,
    );
    expect(code).toBe(0);
  });

  it.each([
    ["a secret is missing", { SERVICE_TOKEN: "" }, "npx wrangler secret put SERVICE_TOKEN"],
    ["a secret is too short", { SERVICE_TOKEN: "short" }, "SERVICE_TOKEN: found a text of 5 characters"],
    [
      "the store is not there",
      { UPSTASH_REDIS_REST_URL: "https://no-such-host.invalid" },
      "does not resolve|cannot be resolved",
    ],
    [
      "the token stands in the address",
      { UPSTASH_REDIS_REST_URL: "https://default:TOKEN@x.upstash.io" },
      "user, query",
    ],
    ["the API is not there", { ORIGIN_URL: "http://127.0.0.1:9" }, "❌ origin"],
  ])("exits 1 where %s", async (_, vars, says) => {
    const given = JSON.parse(JSON.stringify(vars).replace("TOKEN@", `${upstash.token}@`)) as Record<
      string,
      string
    >;
    const { code, output } = await doctor([], { ...all(), ...given });
    expect(output).toMatch(new RegExp(says));
    expect(code).toBe(1);
  });

  it("ends though an API accepts and is silent", async () => {
    const silent = await serveSockets();
    const { code, output } = await doctor([], { ...all(), ORIGIN_URL: silent.url });
    await silent.stop();
    expect(output).toMatch(/❌ origin .*no answer within 5 s/);
    expect(output).toContain("✅ Upstash: the token may do all that the Worker does");
    expect(code).toBe(1);
  });

  it.each([
    [["--nope"], 2, "Usage: npm run doctor"],
    [["--help"], 0, "Usage: npm run doctor"],
    [["--env", "nowhere"], 1, "no environment nowhere"],
    [["--config", "missing.toml"], 1, "There is no missing.toml"],
    [["--commands", "@all"], 1, "names a category"],
  ])("%j exits %i", async (args, expected, says) => {
    const { code, output } = await doctor(args, all());
    expect(output).toContain(says);
    expect(code).toBe(expected);
  });
});
