import { randomBytes } from "node:crypto";
import { Endpoint, type EndpointCall } from "./endpoint.ts";
import { type LocalRedis, openRedis, type RedisChoice } from "./redis.ts";

/**
 * A local Upstash: its REST protocol on loopback, in front of a Redis. For `npm start`, for the tests, and alone as
 * `npm run upstash`. Never part of the Worker.
 */
export type { EndpointCall } from "./endpoint.ts";
export type { LocalRedis } from "./redis.ts";

export interface UpstashLocalOptions {
  /** `auto`: LOCAL_REDIS_URL, a redis-server on PATH, or the embedded one. Default `auto`. */
  redis?: RedisChoice;
  /** Default 0: any free port. */
  port?: number;
  /** Default: made for this run. */
  token?: string;
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
  /** Starts the endpoint again, on the same port. */
  startEndpoint(): Promise<void>;
  /** Stops all of it. */
  stop(): Promise<void>;
}

export async function startUpstashLocal(options: UpstashLocalOptions = {}): Promise<UpstashLocal> {
  const token = options.token ?? randomBytes(24).toString("base64url");
  const redis = await openRedis(options.redis ?? "auto");
  let endpoint = new Endpoint({ port: options.port ?? 0, token, redisPort: redis.port });
  const port = await endpoint.listen();
  let open = true;
  const close = async () => {
    if (open) await endpoint.close();
    open = false;
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
      endpoint = new Endpoint({ port, token, redisPort: redis.port });
      await endpoint.listen();
      open = true;
    },
    async stop() {
      await close();
      await redis.dispose();
    },
  };
}
