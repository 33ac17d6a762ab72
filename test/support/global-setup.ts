import type { TestProject } from "vitest/node";
import { aclRules } from "../../src/tools/doctor/acl.ts";
import { Endpoint } from "../../src/tools/upstash-local/endpoint.ts";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { expectNothingRefused } from "./acl-log.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** Its token may do what `npm run doctor` says that the Worker needs, and nothing else. */
    upstashUrl: string;
    upstashToken: string;
    /** The same Redis for the tests themselves: its token may do everything. */
    ownerUrl: string;
    ownerToken: string;
    redisKind: UpstashLocal["redis"]["kind"];
    /** Runs of the model of sessions, and their seed: `MODEL_RUNS`, `MODEL_SEED`; null: the usual. */
    modelRuns: number | null;
    modelSeed: number | null;
    /** Runs of the model of the response cache: `CACHE_MODEL_RUNS`; null: the usual. */
    cacheModelRuns: number | null;
  }
}

/** Tests use prefixes of their own (`freshPrefix`), so that none finds another's keys. */
const rules = aclRules({
  prefixes: { cache: "c", rateLimit: "r", session: "s" },
  keys: ["t????????:*", "{t????????}:*", "{t????????[crs]}:*"],
});

/**
 * One endpoint over one Redis for the whole run. Vitest runs a root `globalSetup` once and hands what it provides to
 * every project; projects that extend the root do not inherit it. `REQUIRE_REDIS=1` refuses the embedded Redis.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstash = await startUpstashLocal({
    redis: process.env.REQUIRE_REDIS === "1" ? "required" : "auto",
    rules,
  });
  const { greeting, ...address } = upstash.redis.address;
  const redis =
    upstash.redis.kind === "redis-server" ? address : { ...address, ...(greeting && { greeting }) };
  const owner = new Endpoint({ port: 0, token: upstash.token, redis });
  const ownerPort = await owner.listen();
  // For the reporter, which runs in this process and has no other way to know.
  process.env.TEST_REDIS_KIND = upstash.redis.kind;
  project.provide("upstashUrl", upstash.url);
  project.provide("upstashToken", upstash.token);
  project.provide("ownerUrl", `http://127.0.0.1:${ownerPort}`);
  project.provide("ownerToken", upstash.token);
  project.provide("redisKind", upstash.redis.kind);
  project.provide("modelRuns", numberIn(process.env.MODEL_RUNS));
  project.provide("modelSeed", numberIn(process.env.MODEL_SEED));
  project.provide("cacheModelRuns", numberIn(process.env.CACHE_MODEL_RUNS));
  return async () => {
    try {
      await expectNothingRefused(upstash);
    } finally {
      await owner.close();
      await upstash.stop();
    }
  };
}

function numberIn(text: string | undefined): number | null {
  return text ? Number(text) : null;
}
