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
  if (request.headers.get("sec-fetch-site") === "same-origin") return null;
  const origin = request.headers.get("origin");
  if (origin !== null && (origin === ownOrigin || allowedOrigins.includes(origin))) return null;
  return problem("CROSS_SITE_REQUEST");
}
