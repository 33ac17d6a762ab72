import type { Config } from "../config/config.ts";
import type { routeMatcher } from "../config/match.ts";
import type { corsPolicy } from "../http/cors.ts";
import type { createIdentify } from "../identity/identify.ts";
import type { createSessionUsers } from "../identity/session-users.ts";
import type { createVerifiedKeys } from "../identity/verified-keys.ts";
import type { Metrics, MetricsOptions } from "../metrics/metrics.ts";
import type { forwardedRequest } from "../request/forwarded.ts";
import type { setCacheFields } from "../response-cache/outcome.ts";
import type { createResponseCache } from "../response-cache/response-cache.ts";
import type { Platform } from "../runtime/platform.ts";
import type { writeSessionFields } from "../session/changes.ts";
import type { createSessions } from "../session/sessions.ts";
import type { createValueCache } from "../value-cache/value-cache.ts";
import type { Checks } from "./check.ts";
import type { EagerAccount } from "./eager-account.ts";
import type { createHealth } from "./health.ts";
import type { loadConfig } from "./load-config.ts";
import type { createPreflights } from "./preflights.ts";

/**
 * What creates an isolate's capabilities, and what reads for them; the limits and the store are in every isolate. There are two
 * lists of parts: that of `full-isolate.ts` is complete, that of `limits-alone.ts` has counterparts which need no code of a
 * capability.
 */
export interface Parts {
  config: typeof loadConfig;
  matcher: typeof routeMatcher;
  identify: typeof createIdentify;
  verifiedKeys: typeof createVerifiedKeys;
  sessions: typeof createSessions;
  sessionUsers: typeof createSessionUsers;
  checks: Checks;
  cache: typeof createResponseCache;
  values: typeof createValueCache;
  cors: typeof corsPolicy;
  preflights: typeof createPreflights;
  eager(platform: Pick<Platform, "now">): Pick<EagerAccount, "begin">;
  health: typeof createHealth;
  /** Absent, or null: nothing is counted. */
  metrics?(options: MetricsOptions, config: Config): Metrics | null;
  /** What goes on to the origin. */
  forwarded: typeof forwardedRequest;
  /** Write what the cache did, and the change of a session, into the fields of an answer. */
  fields: { setCacheFields: typeof setCacheFields; writeSessionFields: typeof writeSessionFields };
}
