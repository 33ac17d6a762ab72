/** What each Worker of the comparison is given. */
export interface Environment {
  UPSTASH_REDIS_REST_URL: string;
  UPSTASH_REDIS_REST_TOKEN: string;
  ORIGIN_URL: string;
  AUTH_SECRET: string;
}

/** Requests an hour; nobody comes near it. */
export const LIMIT = 10_000_000;
/** Seconds. */
export const CACHE_TTL = 600;

/** Who is limited: the session's bearer, else the address. */
export function callerOf(headers: Headers): string {
  return headers.get("authorization") ?? headers.get("cf-connecting-ip") ?? "anonymous";
}

export function originUrl(env: Environment, requestUrl: string): string {
  const { pathname, search } = new URL(requestUrl);
  return `${env.ORIGIN_URL}${pathname}${search}`;
}
