import { isEventStream } from "../http/event-stream.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { FwdReason } from "./rules/cache-status.ts";
import { entryFreshness, freshInIsolate } from "./usable.ts";

/**
 * The name of the in-flight fetch that could bring what this request needs: of the same URL, of the same variant as far
 * as it is known by what the URL varies, and, where answers depend on it, with or without credentials alike.
 */
export function fetchKey({ address, rule, requester, parts, selecting }: CacheContext): string {
  const [newest] = parts.memory.variants(address);
  const variant = newest && selecting.canTell(newest.meta.vary) ? selecting.variant(newest.meta.vary) : "";
  return `${address.key} ${rule.scope === "public" ? requester : ""} ${variant}`;
}

/** Whether the request may wait for another's fetch instead of asking the origin itself. */
export function mayWait(context: CacheContext, fwd: FwdReason): boolean {
  const { parts, request, entry } = context;
  if (request.request.method !== "GET" || parts.observe) return false;
  if (isEventStream(request.request.headers.get("accept"))) return false;
  if (parts.inFlight.knownUncacheable(fetchKey(context))) return false;
  if (!entry) return true;
  // What is never fresh would be fetched again after the wait.
  const { mustValidate, lifetime } = entryFreshness(context, entry);
  return fwd === "stale" && !mustValidate && lifetime > 0;
}

/** Waits for another request's fetch (law 4: by looking, not by its promise). @returns what it brought, or null. */
export async function waitForAnother(context: CacheContext): Promise<Entry | null> {
  if (!(await context.parts.inFlight.wait(fetchKey(context)))) return null;
  await context.selecting.hide();
  return freshInIsolate(context);
}
