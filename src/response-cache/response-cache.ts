import type { Config } from "../config/config.ts";
import type { CacheRule } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Capability, Decide, EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { addressOf, NO_ADDRESS } from "./address.ts";
import type { CacheContext, CacheParts, CacheRequest } from "./context.ts";
import { cacheHandler } from "./handler.ts";
import { InFlightFetches } from "./in-flight.ts";
import { lookUp, withEntry } from "./lookup.ts";
import { MemoryEntryStore } from "./memory-entry-store.ts";
import type { CacheHandler } from "./outcome.ts";
import { RedisEntryStore } from "./redis-entry-store.ts";
import { requesterOf } from "./requester.ts";
import { eligibility } from "./rules/eligibility.ts";
import { invalidatedUrls, isUnsafe } from "./rules/invalidation.ts";
import { SelectingFields } from "./selecting-fields.ts";
import { type PurgeRequest, Withdrawals } from "./withdrawals.ts";

export interface ResponseCacheOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  events: Events;
  config: Config["cache"];
  /** false keeps entries in the isolate. Default true. */
  useRedis?: boolean;
  /** Most ms since the purge log was last read for which the isolate may answer alone. Default 5000. */
  isolateMaxAgeMs?: number;
  /** Nothing is served from the cache; it is filled all the same. Default false. */
  observe?: boolean;
  /** The rule of the route that GET would match; null where nothing is stored. */
  ruleOf?(url: URL): CacheRule | null;
}

export interface ResponseCache extends Capability<CacheHandler | null> {
  /** Goes past the cache, whatever was prepared: for a caller who turned out not to be who the request says. */
  pass(request: EdgeRequest): CacheHandler | null;
  /** See {@link Withdrawals.purge}. */
  purge(request: PurgeRequest, requestId?: string): Promise<"everywhere" | "isolate">;
  /** What the isolate holds: addresses with entries, their bytes, purges and invalidations it knows of. */
  readonly sizes: { urls: number; bytes: number; purges: number; invalidations: number };
}

export function createResponseCache(options: ResponseCacheOptions): ResponseCache {
  const { store, keys, identifier, platform, events, config, isolateMaxAgeMs = 5000 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const memory = new MemoryEntryStore({ platform, bytes: config.isolateBytes });
  const shared = onRedis ? new RedisEntryStore({ keys, platform }) : null;
  const sharedAddress = (url: URL) => addressOf(identifier.hash, url, options.ruleOf?.(url)?.query, null);
  const withdrawals = new Withdrawals({
    store,
    keys,
    platform,
    events,
    memory,
    shared,
    isolateMaxAgeMs,
    addressOf: sharedAddress,
  });
  let corruptReported = false;
  const parts: CacheParts = {
    memory,
    entries: shared ?? memory,
    store,
    withdrawals,
    inFlight: new InFlightFetches(platform),
    platform,
    maxBodyBytes: config.maxBodyBytes,
    observe: options.observe ?? false,
    reportCorrupt({ request }) {
      if (corruptReported) return;
      corruptReported = true;
      events.emit("cache.corrupt", { request_id: request.requestId, route: request.route.name });
    },
  };

  return {
    prepare,
    pass(request) {
      // Whoever asks, what succeeds makes what is stored invalid.
      if (isUnsafe(request.request.method)) return invalidating(request);
      const rule = request.route.cache;
      return rule ? cacheHandler({ ...baseOf(request, rule), bypass: "bypass" }) : null;
    },
    purge: (request, requestId) => withdrawals.purge(request, requestId),
    get sizes() {
      return { ...memory.sizes, purges: withdrawals.purges };
    },
  };

  async function prepare(request: EdgeRequest, batch: Batch): Promise<Decide<CacheHandler | null>> {
    if (isUnsafe(request.request.method)) return () => invalidating(request);
    const rule = request.route.cache;
    if (!rule || request.request.headers.has("upgrade")) return () => null;
    const requester = requesterOf(request.caller, request.request.headers);
    // A key the origin has yet to verify goes past the cache: only the origin can say what it may see.
    const pending = request.caller.key.kind === "unverified" && request.route.verifiesKeys;
    const strange = rule.scope === "caller" && requester !== "verified";
    const eligible = eligibility(request.request);
    if (eligible !== "eligible" || pending || strange) {
      const bypass = eligible === "method" ? "method" : "bypass";
      return () => cacheHandler({ ...baseOf(request, rule), bypass });
    }
    const audience = rule.scope === "caller" ? request.caller.identity.hash : null;
    const address = await addressOf(identifier.hash, request.url, rule.query, audience);
    const context = { ...baseOf(request, rule), address, requester };
    const found = await lookUp(context, batch);
    return async () => cacheHandler(withEntry(context, await found()));
  }

  /** What every context has, whatever its address. */
  function baseOf(request: CacheRequest, rule: CacheRule): CacheContext {
    return {
      parts,
      request,
      rule,
      requester: "credentialed",
      address: NO_ADDRESS,
      selecting: new SelectingFields(request.request.headers, identifier.hash),
      entry: null,
      others: [],
      staleSince: null,
      varyMiss: false,
      isNew: false,
      bypass: null,
    };
  }

  /** An unsafe method that succeeds makes what is stored for its URL invalid (RFC 9111 §4.4). */
  function invalidating(edgeRequest: CacheRequest): CacheHandler {
    const { request } = edgeRequest;
    return {
      async respond(origin) {
        const reply = await origin.fetch(request.headers);
        if (reply.kind === "failed") return { reply, cache: null };
        const urls = invalidatedUrls(request, reply.response).map((url) => new URL(url));
        const stored = urls.filter((url) => options.ruleOf?.(url) !== null);
        const addresses = await Promise.all(stored.map(sharedAddress));
        withdrawals.invalidate(
          addresses.map((address) => ({ address, soft: false })),
          edgeRequest,
        );
        return { reply, cache: null };
      },
    };
  }
}
