import type { TestProject } from "vitest/node";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";

declare module "vitest" {
  export interface ProvidedContext {
    upstashUrl: string;
    upstashToken: string;
    redisKind: UpstashLocal["redis"]["kind"];
  }
}

/**
 * One endpoint over one Redis for the whole run. Vitest runs a root `globalSetup` once and hands what it provides to
 * every project; projects that extend the root do not inherit it. `REQUIRE_REDIS=1` refuses the embedded Redis.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstash = await startUpstashLocal({
    redis: process.env.REQUIRE_REDIS === "1" ? "required" : "auto",
  });
  // For the reporter, which runs in this process and has no other way to know.
  process.env.TEST_REDIS_KIND = upstash.redis.kind;
  project.provide("upstashUrl", upstash.url);
  project.provide("upstashToken", upstash.token);
  project.provide("redisKind", upstash.redis.kind);
  return () => upstash.stop();
}
