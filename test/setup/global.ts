import type { TestProject } from "vitest/node";
import { startUpstashLocal, type UpstashLocal } from "../../src/upstash-local/index.ts";

declare module "vitest" {
  export interface ProvidedContext {
    upstashUrl: string;
    upstashToken: string;
    redisKind: UpstashLocal["redis"]["kind"];
  }
}

/** One endpoint for the whole run, however many projects ask. */
const shared = globalThis as typeof globalThis & {
  sharedUpstash?: Promise<UpstashLocal>;
  sharedUpstashUsers?: number;
};

export default async function setup(project: TestProject) {
  shared.sharedUpstash ??= startUpstashLocal({ redis: process.env.REQUIRE_REDIS ? "required" : "auto" });
  shared.sharedUpstashUsers = (shared.sharedUpstashUsers ?? 0) + 1;
  const upstash = await shared.sharedUpstash;
  process.env.TEST_REDIS_KIND = upstash.redis.kind;
  project.provide("upstashUrl", upstash.url);
  project.provide("upstashToken", upstash.token);
  project.provide("redisKind", upstash.redis.kind);
  return async () => {
    shared.sharedUpstashUsers = (shared.sharedUpstashUsers ?? 1) - 1;
    if (shared.sharedUpstashUsers > 0) return;
    delete shared.sharedUpstash;
    await upstash.stop();
  };
}
