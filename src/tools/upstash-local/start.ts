import { randomBytes } from "node:crypto";
import { checkGiven, isObject, type OptionRule, type OptionRules } from "../../config/check-given.ts";
import { described } from "../../config/config-error.ts";
import { oneOf } from "../../config/limit-input.ts";
import { onFreePort } from "../ports.ts";
import { openRedis, type RedisChoice } from "./choice.ts";
import { Endpoint, type EndpointCall } from "./endpoint.ts";
import type { LocalRedis } from "./redis.ts";

/** Options of {@link startUpstashLocal}. */
export interface UpstashLocalOptions {
  /** `auto`: LOCAL_REDIS_URL, a redis-server on PATH, or the embedded one. Default `auto`. */
  redis?: RedisChoice;
  /** The TCP port on 127.0.0.1. Default 0: any free one. */
  port?: number;
  /** The REST token. Default: made for this run. */
  token?: string;
  /** Where `LOCAL_REDIS_URL` and `PATH` are read. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * ACL rules of the token's user (`~prefix:*`, `+get` …), where Redis is a `redis-server` that we start. Default: the token
   * may do everything. `redis.command` always may.
   */
  rules?: readonly string[];
}

/** A local Upstash that runs. `url` and `token` are what an edge takes: `createEdge({ redis: upstash })`. */
export interface UpstashLocal {
  /** Its REST address, `http://127.0.0.1:<port>`. */
  url: string;
  /** Its REST token. */
  token: string;
  /** The Redis behind it. */
  redis: LocalRedis;
  /** HTTP calls since {@link resetCalls}, oldest first, with their commands; of more than 10,000 the last. */
  readonly calls: readonly EndpointCall[];
  /**
   * Forgets {@link calls}.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * upstash.resetCalls();
   * // … one request of the app
   * console.log(upstash.calls.length);
   */
  resetCalls(): void;
  /**
   * Stops the endpoint alone; Redis goes on.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * await upstash.stopEndpoint(); // Upstash cannot be reached
   * await upstash.startEndpoint();
   */
  stopEndpoint(): Promise<void>;
  /**
   * Starts the endpoint again on the same port, with no calls and no scripts' names remembered.
   *
   * @throws Error when the port is taken.
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal({ port: 8079 });
   * await upstash.stopEndpoint();
   * await upstash.startEndpoint();
   */
  startEndpoint(): Promise<void>;
  /**
   * Stops all of it: the endpoint, and Redis where it is ours.
   *
   * @example
   * import { startUpstashLocal } from "envoyou-edge/local";
   *
   * const upstash = await startUpstashLocal();
   * await upstash.stop();
   */
  stop(): Promise<void>;
}

const isText = (value: unknown) => typeof value === "string";
const rule = (isGood: (value: unknown) => boolean, fix: string): OptionRule => ({
  fix: (value) => (isGood(value) ? null : fix),
  optional: true,
});
const RULES: OptionRules = {
  redis: { fix: oneOf(["auto", "required", "embedded"]), optional: true },
  port: rule(
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
    "Must be a whole number from 0 to 65535.",
  ),
  token: rule((value) => isText(value) && /^[!-~]+$/.test(String(value)), "Must be a text without blanks."),
  env: rule(isObject, "Must be an object."),
  rules: rule((value) => Array.isArray(value) && value.every(isText), "Must be a list of texts."),
};

/**
 * Starts a local Upstash: its REST protocol on loopback, in front of a Redis. It serves programs that have its token, and no page of a
 * browser. In a terminal it is `npx envoyou-edge upstash`. It needs Node, and is never part of a Worker.
 *
 * @param options Which Redis, and the endpoint's port and token.
 * @returns the endpoint and its Redis. Call `stop()`: they keep the process alive.
 * @throws ConfigError for a value that an option cannot have, and for an option that there is none of.
 * @throws {@link RedisChoiceError} when there is no such Redis; Error when the port is taken. Nothing is left running then.
 * @example
 * import { createEdge } from "envoyou-edge";
 * import { startUpstashLocal } from "envoyou-edge/local";
 * import { Hono } from "hono";
 *
 * const upstash = await startUpstashLocal();
 * const { rateLimit } = createEdge({ redis: upstash });
 * const app = new Hono().use(rateLimit([{ name: "all", limit: 1, window: "1 d" }])).get("/", (c) => c.text("fine"));
 * await app.request("/");
 * console.log((await app.request("/")).status); // 429
 * await upstash.stop();
 */
export async function startUpstashLocal(options: UpstashLocalOptions = {}): Promise<UpstashLocal> {
  checkGiven(options, "startUpstashLocal", RULES, described);
  const token = options.token ?? randomBytes(24).toString("base64url");
  let disconnect = () => {};
  const redis = await openRedis({
    choice: options.redis ?? "auto",
    ...(options.env && { env: options.env }),
    rules: options.rules,
    onGone: () => disconnect(),
  });
  const listenOn = async (at: number) => {
    const listening = new Endpoint({ port: at, token, redis: redis.address });
    await listening.listen();
    return { endpoint: listening, port: at };
  };
  const starting = options.port ? listenOn(options.port) : onFreePort(listenOn);
  let { endpoint, port } = await starting.catch(async (error: unknown) => {
    await redis.dispose();
    throw error;
  });
  disconnect = () => endpoint.disconnect();
  let open = true;
  const close = async () => {
    if (!open) return;
    open = false;
    await endpoint.close();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    redis,
    get calls() {
      return endpoint.calls;
    },
    resetCalls: () => endpoint.resetCalls(),
    stopEndpoint: close,
    async startEndpoint() {
      await close();
      ({ endpoint, port } = await listenOn(port));
      open = true;
    },
    async stop() {
      await close();
      await redis.dispose();
    },
  };
}
