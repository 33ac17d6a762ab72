import { routeMatcher } from "../config/match.ts";
import { corsPolicy } from "../http/cors.ts";
import { createIdentify } from "../identity/identify.ts";
import { createSessionUsers } from "../identity/session-users.ts";
import { createVerifiedKeys } from "../identity/verified-keys.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { forwardedRequest } from "../request/forwarded.ts";
import { setCacheFields } from "../response-cache/outcome.ts";
import { createResponseCache } from "../response-cache/response-cache.ts";
import { writeSessionFields } from "../session/changes.ts";
import { createSessions } from "../session/sessions.ts";
import { createValueCache } from "../value-cache/value-cache.ts";
import { check, crossSite, crossSiteSignIn, refuseWithoutSession } from "./check.ts";
import { EagerAccount } from "./eager-account.ts";
import { createHealth } from "./health.ts";
import { type Isolate, openIsolateOf } from "./isolate.ts";
import { loadConfig } from "./load-config.ts";
import { isolatesOf } from "./open-isolates.ts";
import type { Parts } from "./parts.ts";
import { createPreflights } from "./preflights.ts";

/** Every capability: what the Worker, `edge()` and `createEdge()` consist of. */
const allParts: Parts = {
  config: loadConfig,
  matcher: routeMatcher,
  identify: createIdentify,
  verifiedKeys: createVerifiedKeys,
  sessions: createSessions,
  sessionUsers: createSessionUsers,
  checks: { check, crossSite, crossSiteSignIn, refuseWithoutSession },
  cache: createResponseCache,
  values: createValueCache,
  cors: corsPolicy,
  preflights: createPreflights,
  eager: (platform) => new EagerAccount(platform),
  health: createHealth,
  // Nobody could read them.
  metrics: (options, { metricsTokens, consoleHost }) =>
    metricsTokens.length === 0 && consoleHost === null ? null : createMetrics(options),
  forwarded: forwardedRequest,
  fields: { setCacheFields, writeSessionFields },
};

/** {@link openIsolateOf} with every capability. */
export function openIsolate(...options: DropFirst<Parameters<typeof openIsolateOf>>): Isolate {
  return openIsolateOf(allParts, ...options);
}

type DropFirst<List extends unknown[]> = List extends [unknown, ...infer Rest] ? Rest : never;

/** {@link isolatesOf} with every capability. */
export const isolateOf = /* @__PURE__ */ isolatesOf(allParts);
