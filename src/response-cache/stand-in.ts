import { fetchKey } from "./collapse.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { asksForNewer } from "./rules/directives.ts";
import type { Reuse } from "./rules/reuse.ts";
import { mayStandIn } from "./usable.ts";

/** Notes whether the origin failed, in whose place something stale may be served. */
export function noteOutcome(context: CacheContext, hasFailed: boolean, requestTime: number): void {
  const { failures, platform } = context.parts;
  const key = fetchKey(context);
  if (hasFailed) failures.failed(key, platform.now() - requestTime);
  else failures.answered(key);
}

/** Whether a stale entry is served at once, since the origin has failed just now. A client that asks for something newer has the origin asked. */
export function standsInAtOnce(context: CacheContext, entry: Entry, reuse: Reuse): boolean {
  if (reuse.kind !== "revalidate" || asksForNewer(context.request.request.headers)) return false;
  return mayStandIn(context, entry) && context.parts.failures.isPaused(fetchKey(context));
}
