import { type Problem, problem } from "./problem.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Whether a request that a cookie vouches for may have been sent by another site (ASVS 3.5.1–3.5.3). Unsafe methods and
 * WebSocket handshakes need `Sec-Fetch-Site: same-origin`, or an `Origin` that is ours or listed; with neither header
 * nothing says where it comes from.
 *
 * @returns the 403, or null.
 */
export function crossSiteRefusal(
  request: Request,
  ownOrigin: string,
  allowedOrigins: readonly string[],
): Problem | null {
  if (SAFE.has(request.method) && !request.headers.has("upgrade")) return null;
  return comesFrom(request, ownOrigin, allowedOrigins) ? null : problem("CROSS_SITE_REQUEST");
}

/**
 * Whether a sign-in may have been sent by another site, which would sign its visitor in as somebody else (login CSRF). No
 * cookie vouches for a sign-in, so one that says nothing of where it comes from is a program's; Node's `fetch` sends
 * `Sec-Fetch-Mode` and nothing else. `Sec-Fetch-Site: none` is sent for what the user did, never for what a page did (Fetch
 * Metadata §2.4).
 *
 * @returns the 403, or null.
 */
export function signInRefusal(
  request: Request,
  ownOrigin: string,
  allowedOrigins: readonly string[],
): Problem | null {
  const site = request.headers.get("sec-fetch-site");
  const isSilent = site === null && !request.headers.has("origin");
  if (isSilent || site === "none" || comesFrom(request, ownOrigin, allowedOrigins)) return null;
  return problem("CROSS_SITE_REQUEST");
}

function comesFrom({ headers }: Request, ownOrigin: string, allowedOrigins: readonly string[]): boolean {
  if (headers.get("sec-fetch-site") === "same-origin") return true;
  const origin = canonicalOrigin(headers.get("origin") ?? "");
  return origin === ownOrigin || allowedOrigins.includes(origin);
}

/** One origin as browsers write it: case and a default port count for nothing (RFC 6454 §4). Any other text as it is. */
function canonicalOrigin(text: string): string {
  return /^https?:\/\/[^\s,/\\?#@]+$/i.test(text) && URL.canParse(text) ? new URL(text).origin : text;
}

/** Whether a text is an origin as browsers send it: scheme, host and port. `null` is none: any page can send it. */
export function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
