import { described, shown } from "./config-error.ts";
import type { Report } from "./report.ts";

/** Where Upstash shows what a Worker needs. */
export const WHERE_UPSTASH_SHOWS_IT =
  'the "REST API" box of the database\'s page at Upstash shows UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN';

/**
 * An absolute http(s) address without user and fragment. A password in it is never shown.
 *
 * @param query Whether it may have a query. Default false.
 */
export function readUrl(value: unknown, report: Report, query = false): URL | null {
  if (value === undefined) return null;
  const text = typeof value === "string" ? value : "";
  if (isRedisAddress(text)) {
    report(
      "a Redis address over TCP, which a Worker cannot use",
      `Set the REST address: ${WHERE_UPSTASH_SHOWS_IT}.`,
    );
    return null;
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    report(withoutPassword(value), "Must be an address such as https://api.example.com.");
    return null;
  }
  if (url.username || url.password || (url.search && !query) || url.hash) {
    report(
      `an address with user${query ? "" : ", query"} or fragment`,
      `Leave only scheme, host, port${query ? ", path and query" : " and path"}.`,
    );
    return null;
  }
  return url;
}

/** Also inside a pasted command: `redis-cli --tls -u redis://…`. */
export function isRedisAddress(text: string): boolean {
  return /\brediss?:\/\//i.test(text);
}

const LOOKS_LIKE_AN_ADDRESS =
  /^["']?[a-z]+:\/\/|^(?:localhost|[\w-]+(?:\.[a-z0-9-]{1,24})+)(?::\d+)?(?:\/|$)/i;

/** The value if it looks like an address without a user; a token that stands here in its place is described only. */
function withoutPassword(value: unknown): string {
  if (typeof value !== "string") return described(value);
  if (value.includes("@")) return "an address with a user in it";
  return LOOKS_LIKE_AN_ADDRESS.test(value) ? shown(value) : described(value);
}
