import { inject } from "vitest";
import { startUpstashLocal, type UpstashLocal } from "../../src/tools/upstash-local/index.ts";

/** Whether a redis-server can be started, stopped and killed here. */
export const hasRedisServer = inject("redisKind") === "redis-server";

/** The Redis servers that the endpoint can use on this machine. The same suite runs over each. */
export const kinds = hasRedisServer ? (["required", "embedded"] as const) : (["embedded"] as const);

export interface Posted {
  status: number;
  body: unknown;
  headers: Headers;
}

export interface Harness extends UpstashLocal {
  /** POSTs `body` (a string as it is, else as JSON) with the token. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Posted>;
  /** The `result` of one command. */
  ask(...command: unknown[]): Promise<unknown>;
}

/**
 * An endpoint of the test's own, over a Redis of its own.
 *
 * @param rules ACL rules of its token's user. Default: it may do everything.
 */
export async function startHarness(
  redis: "required" | "embedded",
  rules?: readonly string[],
): Promise<Harness> {
  const upstash = await startUpstashLocal({ redis, ...(rules && { rules }) });
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${upstash.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${upstash.token}`, ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as unknown, headers: response.headers };
  };
  const ask = async (...command: unknown[]) =>
    ((await post("/", command)).body as { result?: unknown }).result;
  return Object.defineProperties({ post, ask } as Harness, Object.getOwnPropertyDescriptors(upstash));
}

export const inBase64 = { "upstash-encoding": "base64" };

export function base64(text: string | Buffer): string {
  return Buffer.from(text).toString("base64");
}
