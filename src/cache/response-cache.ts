import type { Identifier } from "../caller/index.ts";
import type { Capability, Decide, EdgeRequest } from "../capability.ts";
import type { CacheRule, Config } from "../config/index.ts";
import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import { type Keys, type Store, StoreError, type Trip } from "../store/index.ts";
import { askerOf } from "./asker.ts";
import { type CacheContext, Cached } from "./cached.ts";
import type { Entry } from "./entry.ts";
import { Flights } from "./flights.ts";
import { IsolateTier } from "./isolate-tier.ts";
import { cacheUrl } from "./key.ts";
import { type Purge, PurgeLog } from "./purges.ts";
import { look } from "./redis-tier.ts";
import { eligibility, invalidatedUrls, isUnsafe } from "./rules/index.ts";
import type { CacheTurn } from "./turn.ts";

export interface ResponseCacheOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  log: Log;
  config: Config["cache"];
  /** false keeps entries in the isolate. Default true. */
  useRedis?: boolean;
  /** Most ms since the last look at the purge log for which the isolate may answer alone. Default 5000. */
  isolateMaxAgeMs?: number;
  /** Nothing is served from the cache; it is filled all the same. Default false. */
  observe?: boolean;
  /** The rule of the route that GET would match; null where nothing is stored. */
  ruleOf?(url: URL): CacheRule | null;
}

export interface PurgeRequest {
  files: URL[];
  /** `host/path/`. */
  prefixes: string[];
  /** Lower case. */
  tags: string[];
  everything: boolean;
  soft: boolean;
}

export interface ResponseCache extends Capability<CacheTurn | null> {
  /** Goes past the cache, whatever was prepared: for a caller who turned out not to be who the request says. */
  pass(request: EdgeRequest): CacheTurn | null;
  /** @returns whether every isolate will see it, or only this one, because the store is lost or not used. */
  purge(request: PurgeRequest): Promise<"everywhere" | "isolate">;
  /** Entries and bytes in the isolate. */
  readonly sizes: { urls: number; bytes: number; purges: number };
}

export function createResponseCache(options: ResponseCacheOptions): ResponseCache {
  const { store, keys, identifier, platform, log, config, isolateMaxAgeMs = 5000 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const tier = new IsolateTier({ platform, bytes: config.isolateBytes });
  const purges = new PurgeLog();
  const flights = new Flights(platform);
  let lookedAt = Number.NEGATIVE_INFINITY;
  let saidCorrupt = false;

  return {
    prepare,
    pass(request) {
      const rule = request.route.cache;
      return rule ? new Cached({ ...baseOf(request, rule, "credentialed"), bypass: true }).turn() : null;
    },
    purge,
    get sizes() {
      return { urls: tier.size, bytes: tier.bytes, purges: purges.size };
    },
  };

  async function prepare(request: EdgeRequest, trip: Trip): Promise<Decide<CacheTurn | null>> {
    if (isUnsafe(request.request.method)) return () => invalidating(request);
    const rule = request.route.cache;
    if (!rule || request.request.headers.has("upgrade")) return () => null;
    const asker = askerOf(request.caller, request.request.headers);
    const keyNeedsCaller = rule.scope === "caller";
    // A key the origin has yet to verify goes past the cache: only the origin can say what it may see.
    const pending = request.caller.key.kind === "unverified" && request.route.verifiesKeys;
    if (eligibility(request.request) !== "eligible" || pending || (keyNeedsCaller && asker !== "verified")) {
      return () => new Cached({ ...baseOf(request, rule, asker), bypass: true }).turn();
    }
    const context = await contextOf(request, rule, asker);
    const held = tier.find(context.key, request.request.headers);
    if (!onRedis || (held && platform.now() - lookedAt <= isolateMaxAgeMs)) return () => turn(context, held);
    const looked = look(trip, {
      key: keys.response(context.key),
      purgesKey: keys.purges(),
      purgesSince: purges.since,
      heldId: held?.id ?? null,
      requestHeaders: request.request.headers,
    });
    looked.catch(() => {});
    return async () => turn(context, await learned(looked, context, held));
  }

  /** The entry after a look; what the isolate holds where the store did not answer. */
  async function learned(
    looked: ReturnType<typeof look>,
    context: CacheContext,
    held: Entry | null,
  ): Promise<Entry | null> {
    try {
      const result = await looked;
      purges.learn(result.purges);
      lookedAt = platform.now();
      if (result.kind === "entry") {
        tier.put(context.key, result.entry);
        return result.entry;
      }
      if (result.kind === "corrupt") sayCorrupt(context);
      if (result.kind === "nothing") context.varyMiss = result.vary;
      return held;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "command") sayCorrupt(context);
      return held;
    }
  }

  function turn(context: CacheContext, found: Entry | null): CacheTurn {
    const fate = found
      ? purges.fate({ ...context, tags: found.tags, requestTime: found.meta.requestTime })
      : null;
    if (fate?.kind === "hard") tier.drop(context.key);
    const entry = fate?.kind === "hard" ? null : found;
    return new Cached({ ...context, entry, staleSince: fate?.kind === "soft" ? fate.since : null }).turn();
  }

  async function contextOf(
    request: EdgeRequest,
    rule: CacheRule,
    asker: ReturnType<typeof askerOf>,
  ): Promise<CacheContext> {
    const url = cacheUrl(request.url, rule.query);
    const urlHash = await identifier.hash("url", url);
    const audience = rule.scope === "caller" ? `caller:${request.caller.identity.hash}` : "everyone";
    const key = await identifier.hash("response", `${audience} ${url}`);
    return { ...baseOf(request, rule, asker), key, url, urlHash };
  }

  /** What every turn has, whatever its key. */
  function baseOf(request: EdgeRequest, rule: CacheRule, asker: ReturnType<typeof askerOf>): CacheContext {
    return {
      request,
      rule,
      asker,
      key: "",
      url: "",
      urlHash: "",
      entry: null,
      staleSince: null,
      varyMiss: false,
      bypass: false,
      observe: options.observe ?? false,
      maxBodyBytes: config.maxBodyBytes,
      tier,
      flights,
      platform,
      redisKey: onRedis ? (key) => keys.response(key) : null,
    };
  }

  /** An unsafe method that succeeds makes what is stored for its URL invalid (RFC 9111 §4.4). */
  function invalidating({ request, after }: EdgeRequest): CacheTurn {
    return {
      async respond(origin) {
        const reply = await origin.fetch(request.headers);
        if (reply.kind === "failed") return reply;
        const urls = invalidatedUrls(request, reply.response).filter(
          (url) => options.ruleOf?.(new URL(url)) !== null,
        );
        if (urls.length === 0) return reply;
        const gone = await Promise.all(urls.map((url) => urlPurge(new URL(url), false)));
        // Known here before the response ends, so that the next request in this isolate sees it.
        purges.append(gone, platform.now(), keys, null);
        if (onRedis) after((trip) => void purges.append(gone, platform.now(), keys, trip));
        return reply;
      },
    };
  }

  async function purge({
    files,
    prefixes,
    tags,
    everything,
    soft,
  }: PurgeRequest): Promise<"everywhere" | "isolate"> {
    const all: Purge[] = [
      ...(await Promise.all(files.map((file) => urlPurge(file, soft)))),
      ...prefixes.map((value): Purge => ({ target: { kind: "prefix", value }, soft })),
      ...tags.map((value): Purge => ({ target: { kind: "tag", value }, soft })),
      ...(everything ? [{ target: { kind: "everything", value: "" }, soft } as Purge] : []),
    ];
    const trip = onRedis ? store.trip() : null;
    const written = purges.append(all, platform.now(), keys, trip);
    await trip?.send();
    log.info("cache.purged", {
      files: files.length,
      prefixes: prefixes.length,
      tags: tags.length,
      everything,
      soft,
    });
    if (!written) return "isolate";
    return written.then(
      () => "everywhere" as const,
      () => "isolate" as const,
    );
  }

  async function urlPurge(url: URL, soft: boolean): Promise<Purge> {
    const value = await identifier.hash("url", cacheUrl(url, options.ruleOf?.(url)?.query));
    return { target: { kind: "url", value }, soft };
  }

  function sayCorrupt({ request }: CacheContext): void {
    if (saidCorrupt) return;
    saidCorrupt = true;
    log.warn("cache.corrupt", { route: request.route.name });
  }
}
