import type { Config } from "../config/config.ts";
import { secretMatches } from "../identity/secret.ts";
import type { CacheOutcome } from "../response-cache/outcome.ts";
import type { Findings } from "./outcome.ts";

/** Whoever sends one of `METRICS_TOKEN` in it is told where the time went. Like every `X-Edge-*` it never reaches the origin. */
const TIMING_FIELD = "x-edge-metrics-token";

/** Whether the answer says where the time went. A wrong token changes nothing. */
export function wantsTiming(
  { headers }: Request,
  { metricsTokens }: Pick<Config, "metricsTokens">,
): boolean | Promise<boolean> {
  const token = metricsTokens.length > 0 ? headers.get(TIMING_FIELD) : null;
  return token !== null && secretMatches(token, metricsTokens);
}

/** `Server-Timing` (W3C): how long the request waited for the store and the origin, what the cache did, and the whole, in ms. */
export function serverTiming(
  { storeCalls, storeMs, originMs }: Pick<Findings, "storeCalls" | "storeMs" | "originMs">,
  cache: CacheOutcome | null,
  totalMs: number,
): string {
  const parts = [`total;dur=${totalMs}`];
  if (storeCalls > 0) parts.push(`store;dur=${storeMs}`);
  if (originMs !== null) parts.push(`origin;dur=${originMs}`);
  if (cache) parts.push(`cache;desc=${cache.word.toLowerCase()}`);
  return parts.join(", ");
}
