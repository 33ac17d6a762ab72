import { checkShared } from "../config/check-shared.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, type ConfigIssue } from "../config/config-error.ts";
import type { RouteMatcher } from "../config/match.ts";
import type { RouteInput } from "../config/route.ts";
import { createEvents, type Events } from "../events/events.ts";
import type { Sink } from "../events/sink.ts";
import type { CorsPolicy } from "../http/cors.ts";
import { decodedPath } from "../http/path.ts";
import { createIdentifier, type Identifier } from "../identity/caller-hash.ts";
import type { Identify } from "../identity/identify.ts";
import type { VerifiedKeys } from "../identity/verified-keys.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { OriginOptions } from "../origin/origin.ts";
import { LimitState } from "../ratelimit/limit-state.ts";
import { createLimiter, type Limiter } from "../ratelimit/limiter.ts";
import type { ResponseCache } from "../response-cache/response-cache.ts";
import type { Withdrawals } from "../response-cache/withdrawals.ts";
import { type Platform, workerPlatform } from "../runtime/platform.ts";
import { createRequestIds } from "../runtime/request-ids.ts";
import type { Sessions } from "../session/sessions.ts";
import { createKeys, type Keys } from "../store/keys.ts";
import { Store } from "../store/store.ts";
import type { ValueCache } from "../value-cache/value-cache.ts";
import type { Checks } from "./check.ts";
import type { EagerAccount } from "./eager-account.ts";
import type { Health } from "./health.ts";
import type { Parts } from "./parts.ts";
import type { Preflights } from "./preflights.ts";

/** What all requests of one isolate share. It holds no promise, response, signal or client with open I/O (law 4). */
export interface Isolate {
  config: Config;
  platform: Platform;
  events: Events;
  /** Null without `METRICS_TOKEN` and `CONSOLE_HOST`: nothing is counted. */
  metrics: Metrics | null;
  newRequestId(): string;
  store: Store;
  keys: Keys;
  identifier: Identifier;
  /** Hashes callers where neither a secret nor a store gives a key: the same for all limits that count together. */
  randomKey(): Uint8Array<ArrayBuffer>;
  verifiedKeys: VerifiedKeys;
  identify: Identify;
  matchRoute: RouteMatcher;
  /** All counts of the environment. */
  limitState: LimitState;
  limiter: Limiter;
  sessions: Sessions;
  cache: ResponseCache;
  /** What the environment's caches have heard of writes: the next request goes by it, whichever of them has its URL. */
  caches: Set<Withdrawals>;
  /** The key-value cache for handlers. */
  values: ValueCache;
  /** What may refuse a request. */
  checks: Checks;
  /** What writes the fields of the capabilities. */
  fields: Parts["fields"];
  forwarded: Parts["forwarded"];
  cors: CorsPolicy;
  /** CORS preflights on their way to an origin that owns CORS. */
  preflights: Preflights;
  /** Options of the origin's requests. */
  origin: OriginOptions;
  /** Requests to the origin that began before they were known to be needed. */
  eager: Pick<EagerAccount, "begin">;
  health: Health;
  /** Takes back what its parts have registered with the store, which other isolates of the environment use. */
  end(): void;
}

/**
 * Creates the shared state from the environment and the routes.
 *
 * @param parts The capabilities that take part. The Worker's are `allParts`; nothing here imports any of them, so that a bundler
 *   leaves out what nobody hands in.
 * @param sinks Receive every event, in addition to the log.
 * @param others What is open for the same environment and other routes: limits that are shared count together, and what is known of
 *   the store is known once.
 * @throws ConfigError that names every issue of the environment and the routes.
 */
export function openIsolateOf(
  parts: Parts,
  env: Record<string, unknown>,
  routes: readonly RouteInput[],
  platform: Platform = workerPlatform,
  sinks: readonly Sink[] = [],
  others: readonly Isolate[] = [],
): Isolate {
  const config = parts.config(env, routes);
  if (hasShared(config)) checkAgreement([...others.map((other) => other.config), config]);
  const shared = openShared(parts, config, platform, { sinks, open: others[0] });
  const limitState = others[0]?.limitState ?? openLimitState(shared, config);
  const [made, endRecoveries] = shared.store.recoveriesOf(() => openParts(parts, config, shared, limitState));
  const end = () => {
    endRecoveries();
    made.cache.end();
  };
  return { config, ...shared, newRequestId: createRequestIds(platform), limitState, ...made, end };
}

/** The counts of the environment. Units that Redis has not counted are charged once it is back, whichever isolate is open then. */
function openLimitState({ store, keys, platform }: Shared, config: Config): LimitState {
  const state = new LimitState({ platform, keys, isolateMaxAgeMs: config.isolateMaxAgeMs });
  if (config.redisFor.rateLimit) store.onRecovery((batch) => state.replay(batch));
  return state;
}

/** What an isolate has of its own. */
function openParts(parts: Parts, config: Config, shared: Shared, limitState: LimitState) {
  const { platform } = shared;
  const { isolateMaxAgeMs, redisFor } = config;
  const verifiedKeys = openVerifiedKeys(parts, shared, config);
  const matchRoute = parts.matcher(config.routes);
  const sessions = openSessions(parts, shared, config);
  const { corsOrigins: origins, corsExposed: exposed } = config;
  const cors = parts.cors(origins ? { origins, exposed } : null);
  return {
    verifiedKeys,
    identify: parts.identify({ ...shared, config, verifiedKeys }),
    matchRoute,
    limiter: createLimiter({
      ...shared,
      state: limitState,
      useRedis: redisFor.rateLimit,
      isolateMaxAgeMs,
      sessionEnded: sessions.learnEnded,
      lists: config.lists,
    }),
    sessions,
    cache: openCache(parts, shared, config, matchRoute),
    values: parts.values({
      ...shared,
      ttlSeconds: config.cache.ttlSeconds || 3600,
      useRedis: redisFor.cache,
    }),
    checks: parts.checks,
    fields: parts.fields,
    forwarded: parts.forwarded,
    cors,
    preflights: parts.preflights({ platform, lists: config.lists }),
    origin: {
      ...shared,
      config,
      sessions,
      verifiedKeys,
      ownsCors: cors.owned,
      viaName: viaName(shared, config),
    },
    eager: parts.eager(platform),
    health: parts.health({ ...shared, config, databaseState: sessions.databaseState }),
  };
}

type Shared = Pick<
  Isolate,
  "store" | "keys" | "identifier" | "platform" | "events" | "metrics" | "randomKey" | "caches"
>;

function onceMade<Value>(make: () => Value): () => Value {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

/** What every capability uses. Emits what is to be said of the configuration. */
function openShared(
  parts: Parts,
  config: Config,
  platform: Platform,
  { sinks, open }: { sinks: readonly Sink[]; open: Isolate | undefined },
): Shared {
  const keys = createKeys(config.prefixes);
  const metrics = open?.metrics ?? parts.metrics?.({ store: () => store, keys, platform }, config) ?? null;
  const events = createEvents({ platform, level: config.logLevel, sinks, meter: metrics?.meter });
  for (const warning of config.warnings) events.emit("config.warning", { message: warning });
  if (!config.store && !open) {
    const here = config.sessionDatabase ? "limits and cache" : "limits, sessions and cache";
    events.emit("store.absent", {
      message: `UPSTASH_REDIS_REST_URL is not set: ${here} live in this isolate's memory`,
    });
  }
  const randomKey = open?.randomKey ?? onceMade(() => platform.randomBytes(32));
  const { store: connection, storeDeadlineMs: deadlineMs } = config;
  const store = open?.store ?? new Store({ connection, platform, events, deadlineMs });
  const caches = open?.caches ?? new Set();
  const sessionUser = parts.sessionUsers(config.session.secrets, platform);
  const identifier = { ...createIdentifier(config, platform, randomKey), sessionUser };
  return { store, keys, identifier, platform, events, metrics, randomKey, caches };
}

function openSessions(parts: Parts, shared: Shared, config: Config): Sessions {
  return parts.sessions({
    ...shared,
    config: config.session,
    useRedis: config.redisFor.sessions,
    databaseBinding: config.sessionDatabase,
    deadlineMs: config.storeDeadlineMs,
    isolateMaxAgeMs: config.isolateMaxAgeMs,
  });
}

function openVerifiedKeys(parts: Parts, { platform, keys, store }: Shared, config: Config): VerifiedKeys {
  return parts.verifiedKeys({
    platform,
    keys,
    isolateMaxAgeMs: config.isolateMaxAgeMs,
    inUse: config.routes.some((route) => route.verifiesKeys),
    onRecovery: (replay) => store.onRecovery(replay),
  });
}

function openCache(parts: Parts, shared: Shared, config: Config, matchRoute: RouteMatcher): ResponseCache {
  // What a middleware without a cache is to end, another one stores.
  const has = (key: "cache" | "invalidates") => config.routes.some((route) => route[key]);
  const endsOthers = has("invalidates") && !has("cache");
  const ruleOf = (url: URL) => matchRoute("GET", decodedPath(url.pathname) ?? "").cache ?? null;
  return parts.cache({
    ...shared,
    config: config.cache,
    credentials: config.credentials,
    useRedis: config.redisFor.cache,
    isolateMaxAgeMs: config.isolateMaxAgeMs,
    originDeadlineMs: config.originDeadlineMs,
    observe: config.mode === "observe",
    ...(!endsOthers && { ruleOf }),
    peers: shared.caches,
  });
}

/** This edge's pseudonym in `Via` (RFC 9110 §7.6.3). It differs per origin, and is computed once. */
function viaName({ identifier }: Shared, { origin }: Config): () => Promise<string> {
  let name: string | undefined;
  return async () => {
    name ??= `envoyou-edge-${(await identifier.hash("via", origin?.url.href ?? "")).slice(0, 8)}`;
    return name;
  };
}

/** Without a shared limit a list of routes agrees with every other. */
function hasShared({ routes }: Config): boolean {
  return routes.some(({ limits, tiers }) => [limits, ...tiers.values()].flat().some(({ shared }) => shared));
}

/** @throws ConfigError where two lists of routes define a shared limit in two ways. */
function checkAgreement(configs: readonly Config[]): void {
  const issues: ConfigIssue[] = [];
  const routes = configs.flatMap((config) => config.routes).map((route) => ({ route, place: "edge()" }));
  checkShared(routes, { issues, warnings: [] });
  if (issues.length > 0) throw new ConfigError(issues);
}
