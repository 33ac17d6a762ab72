import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { embeddedRedis } from "./embedded.ts";
import { externalRedis } from "./external.ts";
import { type LocalRedis, RedisChoiceError } from "./redis.ts";
import { startRedisServer } from "./redis-server.ts";

/**
 * Which Redis. `auto`: the one at `LOCAL_REDIS_URL`, else a redis-server on `PATH`, else the embedded one (the package `js-redis-server`).
 * `required`: `auto` without the embedded one. `embedded`: that one.
 */
export type RedisChoice = "auto" | "required" | "embedded";

export interface OpenRedisOptions {
  choice: RedisChoice;
  /** Where `LOCAL_REDIS_URL` and `PATH` are read. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Called when a Redis that we started has ended, before the call that ended it returns. */
  onGone(): void;
  /** ACL rules of the user as whom the endpoint connects; a `redis-server` that we start alone has users. */
  rules?: readonly string[] | undefined;
}

/**
 * `LOCAL_REDIS_URL` where it is set (loopback only), else a `redis-server` on PATH, else the embedded one.
 *
 * @throws RedisChoiceError when `required` and there is no redis-server, or nothing of ours is at `LOCAL_REDIS_URL`.
 */
export async function openRedis({
  choice,
  env = process.env,
  onGone,
  rules,
}: OpenRedisOptions): Promise<LocalRedis> {
  if (choice === "embedded") return embeddedRedis(onGone);
  if (env.LOCAL_REDIS_URL) return externalRedis(env.LOCAL_REDIS_URL);
  const program = redisServerOn(env.PATH ?? "");
  if (program) return startRedisServer(program, onGone, rules);
  if (choice === "auto") return embeddedRedis(onGone);
  throw new RedisChoiceError(
    "A real Redis is required, and there is none: no redis-server on PATH (apt-get install redis-server, " +
      "brew install redis) and no LOCAL_REDIS_URL",
  );
}

function redisServerOn(path: string): string | undefined {
  const folders = path.split(delimiter).filter((folder) => folder !== "");
  const programs = folders.map((folder) => join(folder, "redis-server"));
  return programs.find((program) => spawnSync(program, ["--version"]).status === 0);
}
