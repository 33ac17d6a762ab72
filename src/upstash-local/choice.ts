import { spawnSync } from "node:child_process";
import { embeddedRedis } from "./embedded.ts";
import { externalRedis } from "./external.ts";
import { type LocalRedis, RedisChoiceError } from "./redis.ts";
import { startRedisServer } from "./redis-server.ts";

/** `required` is `auto` that will not settle for the embedded one. */
export type RedisChoice = "auto" | "required" | "embedded";

/**
 * `LOCAL_REDIS_URL` where it is set (loopback only), else a `redis-server` on PATH, else the embedded one.
 *
 * @throws RedisChoiceError when `required` and there is no redis-server, or nothing of ours is at `LOCAL_REDIS_URL`.
 */
export async function openRedis(
  choice: RedisChoice,
  env: NodeJS.ProcessEnv = process.env,
): Promise<LocalRedis> {
  if (choice === "embedded") return embeddedRedis();
  if (env.LOCAL_REDIS_URL) return externalRedis(env.LOCAL_REDIS_URL);
  if (spawnSync("redis-server", ["--version"], { env }).status === 0) return startRedisServer();
  if (choice === "auto") return embeddedRedis();
  throw new RedisChoiceError(
    "A real Redis is required, and there is none: no redis-server on PATH (apt-get install redis-server, " +
      "brew install redis) and no LOCAL_REDIS_URL",
  );
}
