import { API_KEY_FIELD } from "./credential-fields.ts";
import { SESSION_TOKEN_FIELD } from "./edge-fields.ts";
import { isFieldName } from "./field-name.ts";

/** Headers that a page of another origin may read. */
const EXPOSED = [
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "X-Request-Id",
  "Age",
  "Cache-Status",
  "ETag",
  SESSION_TOKEN_FIELD,
].join(", ");

/** Headers that the frontends send; whatever else a preflight asks for is allowed along. */
const ALLOWED_HEADERS = ["Content-Type", "Authorization", API_KEY_FIELD, "X-Requested-With"];
const METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
/** Seconds a browser may remember a preflight: Chromium's own ceiling. */
const PREFLIGHT_SECONDS = "7200";

export interface CorsPolicy {
  /** The edge's answer to a preflight, or null when the request is none or CORS is the origin's business. */
  preflight(request: Request): Response | null;
  /** The response with the edge's CORS headers; untouched without a policy. */
  apply(request: Request, response: Response): Response;
  /** Whether the edge owns CORS: the origin's own headers then go before an answer is stored. */
  owned: boolean;
}

/**
 * With a list of origins the edge owns CORS on every response, its own refusals included; with null everything passes
 * untouched, OPTIONS too.
 */
export function corsPolicy(options: { origins: readonly string[] } | null): CorsPolicy {
  if (!options) return { owned: false, preflight: () => null, apply: (_request, response) => response };
  const allowed = new Set(options.origins);
  const grant = (request: Request, headers: Headers) => {
    addVary(headers, "Origin");
    const origin = request.headers.get("origin");
    if (origin === null || !allowed.has(origin)) return false;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-allow-credentials", "true");
    return true;
  };

  return {
    owned: true,
    preflight(request) {
      const { headers: asked } = request;
      if (request.method !== "OPTIONS" || !asked.has("origin") || !asked.has("access-control-request-method"))
        return null;
      const headers = new Headers();
      addVary(headers, "Access-Control-Request-Method");
      addVary(headers, "Access-Control-Request-Headers");
      if (grant(request, headers)) {
        headers.set("access-control-allow-methods", METHODS);
        headers.set(
          "access-control-allow-headers",
          allowedHeaders(asked.get("access-control-request-headers")),
        );
        headers.set("access-control-max-age", PREFLIGHT_SECONDS);
      }
      return new Response(null, { status: 204, headers });
    },
    apply(request, response) {
      if (response.status === 101) return response;
      dropOriginCors(response.headers);
      if (grant(request, response.headers)) response.headers.set("access-control-expose-headers", EXPOSED);
      return response;
    },
  };
}

/** Where the edge owns CORS, what the origin says of it must not be stored for another page. */
export function dropOriginCors(headers: Headers): void {
  for (const name of [...headers.keys()]) if (name.startsWith("access-control-")) headers.delete(name);
}

function allowedHeaders(asked: string | null): string {
  const names = (asked ?? "").split(",").map((name) => name.trim());
  const extra = names.filter((name) => isFieldName(name) && name.length <= 64).slice(0, 32);
  const known = new Set(ALLOWED_HEADERS.map((name) => name.toLowerCase()));
  return [...ALLOWED_HEADERS, ...extra.filter((name) => !known.has(name.toLowerCase()))].join(", ");
}

function addVary(headers: Headers, name: string): void {
  const present = (headers.get("vary") ?? "").split(",").map((each) => each.trim().toLowerCase());
  if (!present.includes(name.toLowerCase()) && !present.includes("*")) headers.append("vary", name);
}
