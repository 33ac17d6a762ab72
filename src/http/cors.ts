import { hasContent } from "./content.ts";
import { corsOrigins } from "./cors-origins.ts";
import { API_KEY_FIELD, type CredentialNames, DEFAULT_CREDENTIALS } from "./credential-fields.ts";
import { isFieldName } from "./field-name.ts";
import { reasonPhrase } from "./mutable-response.ts";
import { SESSION_TOKEN_FIELD } from "./session-token.ts";
import { addVary } from "./vary.ts";

/** Headers that a page of another origin may read: those that the edge itself may put on an answer, beyond the safe ones of Fetch §2.2.2. */
const EXPOSED = [
  // Why a token is refused (RFC 6750 §3.1), which methods there are, and which part of a stored answer it is.
  "WWW-Authenticate",
  "Allow",
  "Content-Range",
  "Retry-After",
  "RateLimit",
  "RateLimit-Policy",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "X-Request-Id",
  "Age",
  "Date",
  "X-Cache",
  "Cache-Status",
  "ETag",
  SESSION_TOKEN_FIELD,
];
const EXPOSE_FIELD = "access-control-expose-headers";

/** Headers that the frontends send; whatever else a preflight asks for is allowed along. */
const ALLOWED_HEADERS = ["Content-Type", "Authorization", API_KEY_FIELD, "X-Requested-With"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** No page may send these (Fetch §2.2.1). */
const FORBIDDEN_METHODS = /^(connect|trace|track)$/i;
/** Most names that an answer exposes, and most characters of a name: longer is an issue of the origin. */
const MAX_NAMES = 100;
const MAX_NAME_LENGTH = 64;
/** Seconds a browser may remember a preflight: Chromium's own ceiling. */
const PREFLIGHT_SECONDS = "7200";

export interface CorsPolicy {
  /**
   * The edge's answer to a preflight, or null when the request is none or CORS is the origin's business.
   *
   * @param methodsOf The methods of the route that the announced request would have; empty = every method.
   */
  preflight(request: Request, methodsOf?: (method: string) => readonly string[]): Response | null;
  /** The response with the edge's CORS headers; untouched without a policy. */
  apply(request: Request, response: Response): Response;
  /** Whether the edge owns CORS: the origin's own headers then go before an answer is stored. */
  owned: boolean;
}

/**
 * With a list of origins the edge owns CORS on every response, its own refusals included; with null everything passes
 * untouched, OPTIONS too.
 *
 * @param options.exposed Fields that pages may read beside the edge's own and those that the origin exposes.
 */
export function corsPolicy(
  options: { origins: readonly string[]; exposed?: readonly string[] } | null,
): CorsPolicy {
  if (!options) return { owned: false, preflight: () => null, apply: (_request, response) => response };
  const allowed = corsOrigins(options.origins);
  const exposed = [...EXPOSED, ...(options.exposed ?? [])];
  const grant = (request: Request, headers: Headers) => {
    addVary(headers, ["Origin"]);
    const origin = request.headers.get("origin");
    if (origin === null || !allowed.allows(origin)) return false;
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-allow-credentials", "true");
    return true;
  };

  return {
    owned: true,
    preflight(request, methodsOf = () => []) {
      const method = announcedMethod(request, DEFAULT_CREDENTIALS);
      if (method === null) return null;
      const { headers: asked } = request;
      const headers = new Headers();
      addVary(headers, ["Access-Control-Request-Method"]);
      addVary(headers, ["Access-Control-Request-Headers"]);
      if (grant(request, headers)) {
        headers.set("access-control-allow-methods", allowedMethods(method, methodsOf));
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
      const { headers } = response;
      const theirs = exposedBy(headers);
      dropOriginCors(headers);
      headers.delete(EXPOSE_FIELD);
      if (grant(request, headers))
        headers.set(EXPOSE_FIELD, withoutRepeats([...exposed, ...theirs]).join(", "));
      return response;
    },
  };
}

/**
 * The method of the request that a CORS preflight announces; null for any other request (Fetch §4.8: it has no content and no credential).
 *
 * @param credentials Which fields hold one.
 */
export function announcedMethod(
  request: Pick<Request, "method" | "headers" | "body">,
  credentials: Pick<CredentialNames, "isSecretField">,
): string | null {
  if (request.method !== "OPTIONS") return null;
  const { headers } = request;
  if (!headers.has("origin") || hasContent(request)) return null;
  // No browser sends one, and who wants to get round a route's rules by a preflight might: an API reads other ones than the edge.
  for (const name of headers.keys()) if (credentials.isSecretField(name)) return null;
  return headers.get("access-control-request-method");
}

/**
 * The answer to a preflight that has met none of its route's rules: a browser reads the status and the fields (Fetch §4.8), and nobody is
 * to read the content that a handler for all methods gives.
 */
export function preflightReply(response: Response): Response {
  void response.body?.cancel().catch(() => {});
  const headers = new Headers(response.headers);
  for (const name of ["content-length", "content-encoding", "content-range"]) headers.delete(name);
  const { status, statusText } = response;
  return new Response(null, { status, statusText: reasonPhrase(statusText), headers });
}

/**
 * Where the edge owns CORS, what the origin says of a page must not be stored for another page. Which fields pages may read
 * is the same for all of them, and stays for the edge to merge with its own.
 */
export function dropOriginCors(headers: Headers): void {
  for (const name of [...headers.keys()])
    if (name.startsWith("access-control-") && name !== EXPOSE_FIELD) headers.delete(name);
}

/**
 * The fields that the origin exposes. The edge's answers allow credentials, for which `*` is only a name (Fetch §3.3.3): it
 * is written out as the fields that the answer has.
 */
function exposedBy(headers: Headers): string[] {
  const names = (headers.get(EXPOSE_FIELD) ?? "").split(",").map((name) => name.trim());
  const all = names.includes("*") ? [...headers.keys()].filter((name) => !isForbiddenToRead(name)) : [];
  const valid = names.filter((name) => name !== "*" && isFieldName(name) && name.length <= MAX_NAME_LENGTH);
  return [...valid, ...all].slice(0, MAX_NAMES);
}

/** What no page may read whatever is exposed (Fetch §2.2.2), and what is about CORS itself. */
function isForbiddenToRead(name: string): boolean {
  return /^(set-cookie2?|access-control-.*)$/.test(name);
}

function withoutRepeats(names: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const name of names) if (!byName.has(name.toLowerCase())) byName.set(name.toLowerCase(), name);
  return [...byName.values()];
}

/** The route's methods, or the usual ones and the one that is asked for: what no route names goes to the origin. */
function allowedMethods(asked: string, methodsOf: (method: string) => readonly string[]): string {
  if (!isFieldName(asked) || asked.length > MAX_NAME_LENGTH || FORBIDDEN_METHODS.test(asked))
    return METHODS.join(", ");
  const ofRoute = methodsOf(asked);
  return [...new Set(ofRoute.length > 0 ? ofRoute : [...METHODS, asked])].join(", ");
}

function allowedHeaders(asked: string | null): string {
  const names = (asked ?? "").split(",").map((name) => name.trim());
  const extra = names.filter((name) => isFieldName(name) && name.length <= MAX_NAME_LENGTH).slice(0, 32);
  const known = new Set(ALLOWED_HEADERS.map((name) => name.toLowerCase()));
  return [...ALLOWED_HEADERS, ...extra.filter((name) => !known.has(name.toLowerCase()))].join(", ");
}
