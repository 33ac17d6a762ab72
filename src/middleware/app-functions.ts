import type { Context } from "hono";
import { ConfigError } from "../config/config-error.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { LimitedInfo } from "./options.ts";

/** Runs the app's own functions. What they throw is the app's to answer, once the request is in the log. */
export class AppErrors {
  error: { thrown: unknown } | null = null;

  /** @throws what the function throws. */
  async from<Result>(run: () => Promise<Result>): Promise<Result> {
    try {
      return await run();
    } catch (thrown) {
      // What the app's function returned is no error of the app's to handle: it is told in the log.
      if (!(thrown instanceof ConfigError)) this.error = { thrown };
      throw thrown;
    }
  }
}

/** Hands an error of the app's function to the app's `onError`, which answers with the fields that the answer would have had. */
export function throwTo(c: Context, { headers }: Response, { thrown }: { thrown: unknown }): never {
  for (const [name, value] of headers) {
    if (/^((x-)?ratelimit(-.*)?|retry-after|x-request-id|x-session-token)$/.test(name)) c.header(name, value);
    else if (name === "set-cookie") c.header(name, value, { append: true });
  }
  throw thrown;
}

export function limitedInfo(limits: LimitVerdict, requestId: string): LimitedInfo {
  const { nearest, violated } = limits;
  const { name = violated[0] ?? "", limit = 0, remaining = 0, resetAt = 0 } = nearest ?? {};
  const retryAfterSeconds = "retryAfterSeconds" in limits ? limits.retryAfterSeconds : 0;
  return { policy: name, limit, remaining, resetAt, retryAfterSeconds, violated, requestId };
}

export function responseOr<Other>(answer: unknown, other: Other): Response | Other {
  return answer instanceof Response ? answer : other;
}
