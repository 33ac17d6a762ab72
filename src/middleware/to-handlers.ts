import type { Context } from "hono";
import type { Admitted } from "../edge/admission.ts";
import { copyOf } from "../session/record.ts";
import { cacheKey } from "./cache-key.ts";
import type { EdgeOptions } from "./options.ts";
import { behindSession } from "./preflight.ts";

/** What stands between requests and handlers behind a session and a cache. Limits alone have neither. */
export const toHandlers = { cacheKey, needsSession, behindSession, narrow, copyOf };

/** Whether a living session is required. */
function needsSession({ session }: EdgeOptions): boolean {
  return session === "required";
}

/** Set by the platform for each request: no stored answer may vary by them. */
const OF_THE_PLATFORM = ["cf-connecting-ip", "x-forwarded-for"];

/**
 * Gives the handlers the request that their answer is stored for: what is in no key must not change it (law 8).
 *
 * @param asked The fields that the cache asks with: without the client's conditions and range, where their answer is to be a whole one.
 */
function narrow(c: Context, { request, forwarded }: Admitted["request"], asked: Headers): void {
  if (!forwarded.rule) return;
  const headers = forwarded.fields.toHeaders(true);
  for (const [name] of forwarded.fields.entries()) if (!asked.has(name)) headers.delete(name);
  for (const name of OF_THE_PLATFORM) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const { method, signal, cf } = request;
  c.req.raw = new Request(forwarded.url, {
    method,
    headers,
    signal,
    ...(cf && { cf: cf as RequestInitCfProperties }),
  });
}
