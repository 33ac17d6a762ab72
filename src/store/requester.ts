import type { Redis, Requester } from "@upstash/redis";
import { checkGiven, type OptionRules } from "../config/check-given.ts";
import { described } from "../config/config-error.ts";
import { workerPlatform } from "../runtime/platform.ts";
import { requesterOver } from "./client.ts";
import { createTransport } from "./transport.ts";

/** Where a database of Upstash is: what the box "REST API" of its page shows. */
export interface Connection {
  /** Its REST address, `https://….upstash.io`. */
  url: string;
  /** Its REST token. */
  token: string;
}

/** Options of {@link createRequester}. */
export interface RequesterOptions extends Connection {
  /** Milliseconds that one call may take, body included. Default 1200. */
  deadlineMs?: number;
}

const RULES: OptionRules = {
  url: {
    fix: (value) =>
      typeof value === "string" && /^https?:\/\//i.test(value) && URL.canParse(value)
        ? null
        : "Must be an address, such as https://example.upstash.io.",
  },
  token: {
    fix: (value) =>
      typeof value === "string" && /^[!-~]+$/.test(value) ? null : "Must be the REST token, without blanks.",
  },
  deadlineMs: {
    fix: (value) =>
      typeof value === "number" && value > 0 && value <= MAX_TIMER_MS
        ? null
        : `Must be a number of milliseconds above 0, ${MAX_TIMER_MS} at most.`,
    optional: true,
  },
};
/** A timer of more ends at once (HTML, timers). */
const MAX_TIMER_MS = 2_147_483_647;

const connections = new WeakMap<object, Connection>();

/**
 * A Requester for the SDK's client that makes one attempt with one deadline. The SDK's own sends a command again that may have been
 * applied, and waits without end.
 *
 * The edge sends its own calls itself, as law 3 asks, and takes the address and the token from it.
 *
 * @param options The address, the token and the deadline.
 * @returns what the SDK's `Redis` is made over. Each of its commands rejects with a {@link StoreError} where it fails.
 * @throws ConfigError for an address, a token or a deadline that is none, and for an option that there is none of.
 * @example
 * import { Redis } from "@upstash/redis";
 * import { createEdge, createRequester } from "envoyou-edge";
 *
 * interface Env {
 *   REDIS_URL: string;
 *   REDIS_TOKEN: string;
 * }
 * const redisOf = ({ REDIS_URL: url, REDIS_TOKEN: token }: Env) => new Redis(createRequester({ url, token, deadlineMs: 500 }));
 * const { rateLimit } = createEdge((env: Env) => ({ redis: redisOf(env) }));
 */
export function createRequester(options: RequesterOptions): Requester {
  // The token is a secret, and an address may hold one.
  checkGiven(options, "createRequester", RULES, described);
  const { url, token, deadlineMs = 1200 } = options;
  const send = createTransport({ url, token, platform: workerPlatform, aborts: true });
  const requester = requesterOver((call) => send({ ...call, deadlineMs }));
  connections.set(requester, { url, token });
  return requester;
}

/** Where a client over a Requester of {@link createRequester} sends its commands; null for any other client. */
export function connectionOf(redis: Redis): Connection | null {
  // The SDK names it `client`, and protects it.
  const { client } = redis as unknown as { client?: unknown };
  return typeof client === "object" && client !== null ? (connections.get(client) ?? null) : null;
}
