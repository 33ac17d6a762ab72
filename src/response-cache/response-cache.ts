import type { Config } from "../config/config.ts";
import type { CacheRule } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { CredentialNames } from "../http/credential-fields.ts";
import { isWebSocketUpgrade } from "../http/hop-by-hop.ts";
import { isUnsafeMethod } from "../http/methods.ts";
import { forgivenUrls } from "../http/url-spelling.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { ConfirmedIdentity, IdentityOutcomes } from "../identity/confirmed.ts";
import { possibleUrls } from "../request/forwarded-url.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { addressOf } from "./address.ts";
import { Admission } from "./admission.ts";
import { audienceOf } from "./audience.ts";
import type { CacheParts, CacheRequest, EagerPlan } from "./context.ts";
import { eagerPlan } from "./eager.ts";
import { FailedFetches } from "./failed-fetches.ts";
import { Gathering } from "./gathering.ts";
import { bypassHandler, cacheHandler } from "./handler.ts";
import { InFlightFetches } from "./in-flight.ts";
import { contextOf, lookUp } from "./lookup.ts";
import { MemoryEntryStore } from "./memory-entry-store.ts";
import type { CacheHandler } from "./outcome.ts";
import { RedisEntryStore } from "./redis-entry-store.ts";
import { type Doubt, doubtOf, type RequesterFacts, requesterOf } from "./requester.ts";
import { eligibility } from "./rules/eligibility.ts";
import { SelectingFields } from "./selecting-fields.ts";
import { SharedWrites } from "./shared-writes.ts";
import { VaryingRoutes } from "./varying-routes.ts";
import { type PurgeOutcome, type PurgeRequest, Withdrawals } from "./withdrawals.ts";
import { writeHandler } from "./write-handler.ts";

export interface ResponseCacheOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  events: Events;
  config: Config["cache"];
  /** Which names are credentials. Default: as the table says. */
  credentials?: CredentialNames;
  /** false keeps entries in the isolate. Default true. */
  useRedis?: boolean;
  /** Most ms since the purge log was last read for which the isolate may answer alone. Default 5000. */
  isolateMaxAgeMs?: number;
  /** A small body that stalls for this long is a failure of the origin, ms. Default 30,000. */
  originDeadlineMs?: number;
  /** Nothing is served from the cache; it is filled all the same. Default false. */
  observe?: boolean;
  /** Ms that the write of an entry waits for others of the isolate. Default 5; 0: each is sent at once. */
  writeDelayMs?: number;
  /** The rule of the route that GET would match; null where nothing is stored. Absent: others than the edge's own routes store. */
  ruleOf?(url: URL): CacheRule | null;
  /** The caches of the environment, this one's added: what a write makes invalid goes from all. Default: it is the only one. */
  peers?: Set<Withdrawals>;
}

/** Reads the replies once the batch is back and the session is confirmed. Null: no cache takes part. */
export interface DecideCache {
  (confirmed: ConfirmedIdentity): CacheHandler | null | Promise<CacheHandler | null>;
  /** On a route with `originFetch: "eager"`, where the isolate has no answer: the origin may be asked by it at once. */
  eager?: EagerPlan | null;
}

export interface ResponseCache {
  /**
   * Queues the search for the request's entry, before it is known who asks: entries of a caller are searched for as if
   * the session lived, and are used only where it does (law 10).
   *
   * @param outcomes Of these the returned function is handed the one that was confirmed: the very same object.
   */
  prepare(request: CacheRequest, outcomes: IdentityOutcomes, batch: Batch): Promise<DecideCache>;
  /** See {@link Withdrawals.purge}. */
  purge(request: PurgeRequest, requestId?: string, batch?: Batch): Promise<PurgeOutcome>;
  /** See {@link Withdrawals.latestPurges}. */
  latestPurges: Withdrawals["latestPurges"];
  /** It hears no more of what other caches of the environment learn. */
  end(): void;
  /** What the isolate holds: addresses with entries, their bytes, purges and invalidations it knows of. */
  readonly sizes: { urls: number; bytes: number; purges: number; invalidations: number };
}

export function createResponseCache(options: ResponseCacheOptions): ResponseCache {
  const { store, keys, identifier, platform, events, config, isolateMaxAgeMs = 5000 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const memory = new MemoryEntryStore({ platform, bytes: config.isolateBytes });
  const shared = onRedis ? new RedisEntryStore({ keys, platform, store }) : null;
  // How the entry's own route spells it is not known: on one with raw paths it is as it was written.
  const sharedAddresses = (url: URL) =>
    Promise.all(
      possibleUrls(url, options.ruleOf?.(url) ?? null).map((each) => addressOf(identifier.hash, each, null)),
    );
  const withdrawals = new Withdrawals({
    store,
    keys,
    platform,
    events,
    memory,
    shared,
    isolateMaxAgeMs,
    addressesOf: sharedAddresses,
    userHash: (id) => identifier.hash("user", id),
    ...(options.peers && { peers: options.peers }),
  });
  const isStored = (url: URL) => options.ruleOf?.(url) !== null;
  const addressesOf = async (url: URL, forgiving: boolean) => {
    const [plain, small] = forgiving ? forgivenUrls(url) : [url, url];
    const written = [url, plain].filter(isStored);
    const urls = written.length > 0 ? written : [small].filter(isStored);
    return (await Promise.all([...new Set(urls)].map(sharedAddresses))).flat();
  };
  let corruptReported = false;
  const parts: CacheParts = {
    memory,
    entries: shared ?? memory,
    store,
    withdrawals,
    admission: new Admission(platform),
    inFlight: new InFlightFetches(platform),
    failures: new FailedFetches(platform),
    gathering: new Gathering(platform),
    varyingRoutes: new VaryingRoutes(),
    writes: new SharedWrites({
      platform,
      store,
      entries: shared ?? memory,
      delayMs: options.writeDelayMs ?? 5,
    }),
    platform,
    maxBodyBytes: config.maxBodyBytes,
    originDeadlineMs: options.originDeadlineMs ?? 30_000,
    observe: options.observe ?? false,
    reportCorrupt({ route, requestId }) {
      if (corruptReported) return;
      corruptReported = true;
      events.emit("cache.corrupt", { request_id: requestId, route: route.name });
    },
  };

  return {
    prepare,
    purge: (request, requestId, batch) => withdrawals.purge(request, requestId, batch),
    latestPurges: (most) => withdrawals.latestPurges(most),
    end: () => withdrawals.end(),
    get sizes() {
      return { ...memory.sizes, purges: withdrawals.purges };
    },
  };

  async function prepare(
    request: CacheRequest,
    outcomes: IdentityOutcomes,
    batch: Batch,
  ): Promise<DecideCache> {
    const { route, url, forwarded } = request;
    const { method, headers } = request.request;
    // Whoever asks, what succeeds makes what is stored invalid.
    if (isUnsafeMethod(method)) return () => writeHandler({ withdrawals, addressesOf }, request);
    const { cache: rule } = route;
    if (!rule || isWebSocketUpgrade(request.request)) return () => null;
    const expected = outcomes.kind === "settled" ? outcomes.identity : outcomes.alive;
    const own = rule.scope === "caller";
    const facts = { headers, url, names: options.credentials, ignoreCookies: rule.ignoreCookies };
    const eligible = eligibility(request.request);
    if (eligible === "method") return () => bypassHandler(request, { fwd: "method" }, parts);
    const doubt = eligible === "bypass" ? whyIneligible(headers) : doubtAbout(expected, request, facts);
    if (doubt) return () => bypassHandler(request, { fwd: "bypass", detail: doubt }, parts);
    const audience = own ? await audienceOf(expected, identifier.hash) : null;
    const address = await addressOf(identifier.hash, forwarded.url, audience, request.cacheKey);
    const selecting = new SelectingFields(forwarded.fields, identifier.hash, options.credentials);
    const lookup = { parts, request, rule, address, selecting };
    const read = await lookUp(lookup, batch);
    const eager = route.originFetch === null ? null : eagerPlan(lookup, requesterOf(expected, facts));
    const decide = async (confirmed: ConfirmedIdentity) => {
      const found = await read();
      // What was found is another's: the one whose session lives, or whose key is still verified.
      const ended = confirmed.key.kind === "unverified" && route.verifiesKeys;
      if (!ended && !(own && confirmed !== expected))
        return cacheHandler({ ...contextOf(lookup, found, requesterOf(confirmed, facts)), eager });
      const detail = ended ? "key-not-verified" : "session-not-valid";
      return bypassHandler(request, { fwd: "bypass", detail }, parts);
    };
    return eager ? Object.assign(decide, { eager }) : decide;
  }
}

function whyIneligible(headers: Headers): string {
  return headers.has("if-match") || headers.has("if-unmodified-since") ? "precondition" : "content";
}

/** Why it is not certain enough who asks; null where it is. */
function doubtAbout(
  expected: ConfirmedIdentity,
  { route }: Pick<CacheRequest, "route">,
  facts: RequesterFacts,
): Doubt | null {
  // A key the origin has yet to verify goes past the cache: only the origin can say what it may see.
  if (expected.key.kind === "unverified" && route.verifiesKeys) return "key-not-verified";
  return route.cache?.scope === "caller" ? doubtOf(expected, facts) : null;
}
