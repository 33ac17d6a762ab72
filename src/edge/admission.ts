import type { Policy, Route } from "../config/route.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";
import type { Counting, EdgeRequest } from "../request/capability.ts";
import type { ForwardedRequest } from "../request/forwarded.ts";
import type { CacheHandler } from "../response-cache/outcome.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import type { beginEager } from "./begin-eager.ts";
import type { Answer, Findings } from "./outcome.ts";
import type { Received } from "./receive.ts";

/** The capabilities that a request uses. */
export interface Capabilities {
  limits: boolean;
  session: boolean;
  cache: boolean;
}

export interface AdmitOptions {
  /** The route to use. Default: the first of the configured ones that matches. */
  route?: Route;
  /** What the log calls it. Default its name. */
  routeName?: string;
  /** Limits that hold beside those of the route for requests with a signed session token. Default none. */
  limits?: readonly Policy[];
  /** Default all. */
  capabilities?: Capabilities;
  /**
   * The edge answers the path itself. Then the session is read and a cross-site request is refused under every `EDGE_MODE`:
   * no API behind the edge would do either.
   */
  own?: boolean;
  /** Told of each answer to a request that took all steps. Default nobody is. */
  learn?(received: Received, admitted: Admitted, answer: Answer): void;
  /** Asks the origin eagerly, where the route says so. Default it is not. */
  eager?: typeof beginEager;
  /** The origin is the app's own handlers. Default false. */
  handlers?: boolean;
  /** What the app says of the request, once the route's rules hold for it. Default nothing. */
  told?(): Promise<ToldByApp>;
  /** The session of the request, where another middleware has confirmed it and this one does not read it. */
  confirmed?: ConfirmedElsewhere;
  /** The app's answer to a request that the limits refuse; null: the problem. Default always the problem. */
  onLimited?(limits: LimitVerdict): Promise<Response | null>;
}

/** What an app's own functions say of a request. */
export interface ToldByApp {
  /** The limits leave it alone. Default false. */
  unlimited?: boolean;
  counting?: Counting;
  cacheKey?: string;
}

export interface ConfirmedElsewhere {
  claim: EdgeRequest["claims"]["session"];
  lives: boolean;
}

/** A request that passed all checks, with the results of the steps. */
export interface Admitted {
  kind: "admitted";
  request: EdgeRequest;
  identity: ConfirmedIdentity;
  session: SessionVerdict;
  limits: LimitVerdict | null;
  cache: CacheHandler | null;
  findings: Findings;
  /** A preflight that passes without its route's rules. Default false. */
  isPreflight?: boolean;
}

/** The result of `admit`. */
export type Admission = Admitted | { kind: "refused"; error: unknown; findings: Findings };

/** What is known of a request before its credentials are. */
export interface Routed {
  route: Route;
  path: string;
  forwarded: ForwardedRequest;
}

export function edgeRequest(
  { request, url, requestId, deferred, waitUntil }: Received,
  { route, path, forwarded }: Routed,
  claims: EdgeRequest["claims"],
  { counting, cacheKey }: ToldByApp = {},
): EdgeRequest {
  const after: EdgeRequest["after"] = (work) => deferred.add(work);
  const told = { ...(counting && { counting }), ...(cacheKey !== undefined && { cacheKey }) };
  return { request, url, path, route, forwarded, claims, ...told, requestId, after, waitUntil };
}
