import type { Config } from "../config/config.ts";
import { loadLimitsWith } from "../config/load-limits.ts";
import { type RouteInput, unmatchedRoute } from "../config/route.ts";
import { unidentified } from "../identity/unidentified.ts";
import { algorithms } from "../ratelimit/algorithms/algorithms.ts";
import type { ResponseCache } from "../response-cache/response-cache.ts";
import type { Sessions } from "../session/sessions.ts";
import type { ValueCache } from "../value-cache/value-cache.ts";
import { limitRefusal } from "./limit-refusal.ts";
import { isolatesOf } from "./open-isolates.ts";
import type { Parts } from "./parts.ts";
import { createPreflights } from "./preflights.ts";

/** What a capability is where it takes no part: the pipeline does not ask it, and a handler that does gets an error. */
function absent(): never {
  throw new Error("createLimits() has no sessions and caches: use createEdge()");
}

const sessions: Sessions = {
  // Asked of every request, whatever takes part in it.
  maintenance: () => null,
  changeOf: () => null,
  learnEnded: () => {},
  databaseState: async () => null,
  knownOutcome: async () => null,
  choose: absent,
  prepare: absent,
  requireSecret: absent,
  create: absent,
  get: absent,
  touch: absent,
  delete: absent,
  rotate: absent,
  fromOrigin: absent,
  scheduled: absent,
  get service(): never {
    return absent();
  },
};

const cache: ResponseCache = {
  prepare: absent,
  purge: absent,
  latestPurges: absent,
  end: () => {},
  get sizes(): never {
    return absent();
  },
};

const values: ValueCache = { get: absent, set: absent, delete: absent, getOrSet: absent };

/** The configuration of limits alone. @throws ConfigError */
export function limitsConfig(env: object, routes: readonly RouteInput[]): Config {
  return loadLimitsWith(algorithms, env as Record<string, unknown>, routes);
}

/** Limits alone: callers are known by their address. What the others need is in none of these files. */
const limitsAlone: Parts = {
  config: limitsConfig,
  matcher: () => Object.assign(() => unmatchedRoute, { readingsDiffer: () => false }),
  identify:
    ({ config, identifier }) =>
    (request) =>
      unidentified(request.headers, identifier, { ipv6Prefix: config.ipv6Prefix ?? 64 }),
  verifiedKeys: () => ({
    get: () => undefined,
    size: 0,
    isDue: () => false,
    isHopeless: () => true,
    look: absent,
    remember: absent,
    forget: absent,
  }),
  sessions: () => sessions,
  sessionUsers: () => absent,
  checks: {
    check: ({ limits }) => limitRefusal(limits),
    crossSite: () => null,
    crossSiteSignIn: () => null,
    refuseWithoutSession: () => null,
  },
  cache: () => cache,
  values: () => values,
  cors: () => ({ owned: false, preflight: () => null, apply: (_request, response) => response }),
  preflights: createPreflights,
  eager: () => ({ begin: () => null }),
  health: () => absent,
  // The app's handlers are given the request as it came.
  forwarded: ({ url }) => ({
    url,
    rule: null,
    get fields(): never {
      return absent();
    },
  }),
  fields: { setCacheFields: () => {}, writeSessionFields: absent },
};

/** {@link isolatesOf} with limits alone. */
export const limitsIsolateOf = /* @__PURE__ */ isolatesOf(limitsAlone);
