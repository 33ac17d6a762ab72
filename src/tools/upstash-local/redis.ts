import { type RedisAddress, RedisConnection } from "./connection.ts";
import type { RespReply } from "./resp.ts";

/** The Redis behind the endpoint. One that runs already is not ours to stop or start: these methods reject with a {@link RedisChoiceError}. */
export interface LocalRedis {
  /** A redis-server that we started, one that runs already (`LOCAL_REDIS_URL`), or the embedded one. */
  readonly kind: "redis-server" | "external" | "embedded";
  /** Its TCP port on loopback. */
  readonly port: number;
  /** Where it is. @internal */
  readonly address: RedisAddress;
  /** The process id of the redis-server that we started, while it runs. */
  readonly pid?: number | undefined;
  /**
   * Ends it in order (a redis-server that we started), keeping what it holds for the next {@link start}.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * await upstash.redis.stop(); // Upstash without its Redis: the endpoint answers 500
   * await upstash.redis.start();
   */
  stop(): Promise<void>;
  /**
   * Starts it again on the same port.
   *
   * @param options `keepData`: with what it held before {@link stop}. Default `true`.
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * await upstash.redis.stop();
   * await upstash.redis.start({ keepData: false });
   */
  start(options?: { keepData?: boolean }): Promise<void>;
  /**
   * Ends it at once (SIGKILL): nothing is saved, connections break.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal({ redis: "required" });
   * await upstash.redis.kill();
   * await upstash.redis.start();
   */
  kill(): Promise<void>;
  /**
   * Runs a command over a connection of its own, for assertions.
   *
   * @param args The command and its arguments.
   * @returns the reply. An error reply is a value, a {@link RespError}.
   * @throws Error where Redis does not answer.
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * const keys = await upstash.redis.command("KEYS", "envoyou:*");
   */
  command(...args: string[]): Promise<RespReply>;
  /**
   * Ends it for good and removes its files; one that runs already goes on. {@link UpstashLocal.stop} does it too.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * await upstash.redis.dispose();
   */
  dispose(): Promise<void>;
}

/**
 * The requested Redis is not available. The message says what to do.
 *
 * @example
 * import { RedisChoiceError, startUpstashLocal } from "envoyou-edge/local";
 *
 * const upstash = await startUpstashLocal({ redis: "required" }).catch((error: unknown) => {
 *   if (error instanceof RedisChoiceError) return startUpstashLocal({ redis: "embedded" });
 *   throw error;
 * });
 */
export class RedisChoiceError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "RedisChoiceError";
  /** The same for programs. */
  readonly code = "redis-choice";
}

/** Runs each command over a connection of its own. */
export function commandOn(address: RedisAddress) {
  return async (...args: string[]): Promise<RespReply> => {
    const connection = new RedisConnection(address);
    try {
      return await connection.command(...args);
    } finally {
      connection.close();
    }
  };
}
