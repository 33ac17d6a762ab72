import { randomBytes } from "node:crypto";
import { openRedis, type RedisChoice } from "./choice.ts";
import { Endpoint, type EndpointCall } from "./endpoint.ts";
import type { LocalRedis } from "./redis.ts";

export interface UpstashLocalOptions {
  /** `auto`: LOCAL_REDIS_URL, a redis-server on PATH, or the embedded one. Default `auto`. */
  redis?: RedisChoice;
  /** Default 0: any free port. */
  port?: number;
  /** Default: made for this run. */
  token?: string;
  /** Where `LOCAL_REDIS_URL` and `PATH` are read. Default `process.env`. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * ACL rules of the token's user (`~prefix:*`, `+get` …), where Redis is a `redis-server` that we start. Default: the token
   * may do everything. `redis.command` always may.
   */
  rules?: readonly string[];
}

export interface UpstashLocal {
  url: string;
  token: string;
  redis: LocalRedis;
  /** HTTP calls since {@link resetCalls}, with their commands. */
  readonly calls: readonly EndpointCall[];
  resetCalls(): void;
  /** Stops the endpoint alone; Redis goes on. */
  stopEndpoint(): Promise<void>;
  /** Starts the endpoint again on the same port, with no calls and no scripts' names remembered. */
  startEndpoint(): Promise<void>;
  /** Stops all of it. */
  stop(): Promise<void>;
}

/**
 * A local Upstash: its REST protocol on loopback, in front of a Redis. For `npm start`, for the tests, and alone as
 * `npm run upstash`. Never part of the Worker.
 *
 * @throws RedisChoiceError when there is no such Redis; Error when the port is taken. Nothing is left running then.
 */
export async function startUpstashLocal(options: UpstashLocalOptions = {}): Promise<UpstashLocal> {
  const token = options.token ?? randomBytes(24).toString("base64url");
  let disconnect = () => {};
  const redis = await openRedis({
    choice: options.redis ?? "auto",
    ...(options.env && { env: options.env }),
    rules: options.rules,
    onGone: () => disconnect(),
  });
  let endpoint = new Endpoint({ port: options.port ?? 0, token, redis: redis.address });
  disconnect = () => endpoint.disconnect();
  const port = await endpoint.listen().catch(async (error: unknown) => {
    await redis.dispose();
    throw error;
  });
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
      endpoint = new Endpoint({ port, token, redis: redis.address });
      await endpoint.listen();
      open = true;
    },
    async stop() {
      await close();
      await redis.dispose();
    },
  };
}
