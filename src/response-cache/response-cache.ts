import type { Config } from "../config/config.ts";
import type { CacheRule } from "../config/route.ts";
import type { Events } from "../events/events.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Capability, Decide, EdgeRequest } from "../request/capability.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import type { CacheContext, CacheParts } from "./context.ts";
import type { Entry } from "./entry.ts";
import { cacheHandler } from "./handler.ts";
import { InFlightFetches } from "./in-flight.ts";
import { type Invalidation, Invalidations } from "./invalidations.ts";
import { cacheUrl } from "./key.ts";
import { MemoryEntryStore } from "./memory-entry-store.ts";
import type { CacheHandler } from "./outcome.ts";
import { EVERYTHING, type Purge, PurgeLog, type PurgeStatus } from "./purge-log.ts";
import { type LookResult, look, readVariant } from "./redis-entry-store.ts";
import { requesterOf } from "./requester.ts";
import { eligibility } from "./rules/eligibility.ts";
import { invalidatedUrls, isUnsafe } from "./rules/invalidation.ts";
import { SelectingFields } from "./selecting-fields.ts";
import { isForRequester } from "./usable.ts";

export interface ResponseCacheOptions {
  store: Store;
  keys: Keys;
  identifier: Pick<Identifier, "hash">;
  platform: Platform;
  events: Events;
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

export interface ResponseCache extends Capability<CacheHandler | null> {
  /** Goes past the cache, whatever was prepared: for a caller who turned out not to be who the request says. */
  pass(request: EdgeRequest): CacheHandler | null;
  /**
   * @returns whether every isolate will see it, or so far only this one, because the store is lost (then it is told when
   * the store is back) or not used.
   */
  purge(request: PurgeRequest, requestId?: string): Promise<"everywhere" | "isolate">;
  /** Entries and bytes in the isolate. */
  readonly sizes: { urls: number; bytes: number; purges: number; invalidations: number };
}

export function createResponseCache(options: ResponseCacheOptions): ResponseCache {
  const { store, keys, identifier, platform, events, config, isolateMaxAgeMs = 5000 } = options;
  const onRedis = (options.useRedis ?? true) && store.configured;
  const memory = new MemoryEntryStore({ platform, bytes: config.isolateBytes });
  const purges = new PurgeLog();
  const invalidations = new Invalidations({ platform, forgotten: () => memory.clear() });
  const parts: CacheParts = {
    memory,
    inFlight: new InFlightFetches(platform),
    platform,
    maxBodyBytes: config.maxBodyBytes,
    observe: options.observe ?? false,
    redisKey: onRedis ? (key) => keys.response(key) : null,
    fetchVariant,
    purgeStatus,
    invalidate({ urlHash, invalidationKey, request }, soft) {
      spread([{ urlHash, invalidationKey: keys.response(invalidationKey), soft }], request);
    },
  };
  let lookedAt = Number.NEGATIVE_INFINITY;
  let saidCorrupt = false;

  if (onRedis) {
    store.onRecovery((batch) => purges.rewrite(platform.now(), keys, batch));
    store.onRecovery((batch) => invalidations.replay(batch));
  }

  return {
    prepare,
    pass(request) {
      // Whoever asks, what succeeds makes what is stored invalid.
      if (isUnsafe(request.request.method)) return invalidating(request);
      const rule = request.route.cache;
      return rule ? cacheHandler({ ...baseOf(request, rule), bypass: "bypass" }) : null;
    },
    purge,
    get sizes() {
      return {
        urls: memory.size,
        bytes: memory.bytes,
        purges: purges.size,
        invalidations: invalidations.size,
      };
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
    const context = { ...baseOf(request, rule), ...(await namesOf(request, rule)), requester };
    const { selecting, key } = context;
    const sinceLook = platform.now() - lookedAt;
    // A clock that went back must not make an old look a new one.
    const knowsPurges = sinceLook >= 0 && sinceLook <= isolateMaxAgeMs;
    let held = memory.find(key, selecting);
    if (held && (!onRedis || knowsPurges)) return () => handlerFor(context, held);
    await selecting.hide();
    held ??= memory.find(key, selecting);
    if (!onRedis) return () => handlerFor(context, held);
    const looked = look(batch, {
      key: keys.response(key),
      purgesKey: keys.purges(),
      invalidationKey: keys.response(context.invalidationKey),
      purgesSince: knowsPurges ? "" : purges.since,
      heldId: held?.id ?? null,
      selecting,
      now: platform.now(),
    });
    looked.catch(() => {});
    return async () => handlerFor(context, await learned(looked, context, held, knowsPurges));
  }

  /** The entry after a look; what the isolate holds where the store did not answer. */
  async function learned(
    looked: Promise<LookResult>,
    context: CacheContext,
    held: Entry | null,
    knowsPurges: boolean,
  ): Promise<Entry | null> {
    try {
      const result = await looked;
      if (!knowsPurges) {
        purges.learn(result.purges);
        lookedAt = platform.now();
      }
      const { invalidatedAt } = result;
      invalidations.learn(context.urlHash, invalidatedAt);
      context.isNew = result.kind === "nothing" && invalidatedAt.hard === 0 && invalidatedAt.soft === 0;
      context.others = result.others;
      if (result.kind === "corrupt") sayCorrupt(context);
      if (result.kind === "other-variants") context.varyMiss = true;
      if (result.kind !== "entry" || result.entry.keepUntil <= platform.now()) return held;
      // The script has found it by the request's fields: one that says otherwise belongs elsewhere.
      if (result.entry.variant !== context.selecting.variant(result.entry.meta.vary)) {
        sayCorrupt(context);
        return held;
      }
      // Meanwhile this isolate may have got a newer one, or what it wrote has not arrived.
      const here = memory.find(context.key, context.selecting);
      if (here && here.meta.requestTime > result.entry.meta.requestTime) return here;
      memory.put(context.key, result.entry);
      return result.entry;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (error.code === "command") sayCorrupt(context);
      return held;
    }
  }

  function handlerFor(context: CacheContext, found: Entry | null): CacheHandler {
    const status = found ? purgeStatus(context, found) : null;
    if (status?.kind === "hard") memory.drop(context.key);
    const usable = found && status?.kind !== "hard" && !parts.observe && isForRequester(context, found);
    const staleSince = status?.kind === "soft" ? status.since : null;
    return cacheHandler({ ...context, entry: usable ? found : null, staleSince });
  }

  function purgeStatus({ url, urlHash }: CacheContext, { tags, meta }: Entry): PurgeStatus {
    const { requestTime } = meta;
    const purged = purges.purgeStatus({ url, urlHash, tags, requestTime });
    const invalidated = invalidations.purgeStatus(urlHash, requestTime);
    if (purged.kind === "hard" || invalidated.kind === "none") return purged;
    if (invalidated.kind === "hard" || purged.kind === "none") return invalidated;
    return { kind: "soft", since: Math.min(purged.since, invalidated.since) };
  }

  async function fetchVariant(context: CacheContext, name: string): Promise<Entry | null> {
    const batch = store.batch();
    const reading = readVariant(batch, keys.response(context.key), name);
    await batch.send();
    try {
      const entry = await reading;
      return entry && purgeStatus(context, entry).kind !== "hard" ? entry : null;
    } catch (error) {
      if (error instanceof StoreError) return null;
      throw error;
    }
  }

  /**
   * What an entry is found by. The scheme is in its name, since the origin is told it and may answer differently; purges
   * do without, as those who write them do.
   */
  async function namesOf(request: EdgeRequest, rule: CacheRule) {
    const url = cacheUrl(request.url, rule.query);
    const urlHash = await identifier.hash("url", url);
    const invalidationKey = everyonesKey(request.url, urlHash);
    if (rule.scope !== "caller") return { url, urlHash, invalidationKey, key: invalidationKey };
    const key = await identifier.hash("response", `${request.caller.identity.hash} ${invalidationKey}`);
    return { url, urlHash, invalidationKey, key };
  }

  /** Where everybody's entries of an address are, and the invalidatedAt of all. */
  function everyonesKey({ protocol }: URL, urlHash: string): string {
    return protocol === "https:" ? urlHash : `${urlHash}:${protocol.slice(0, -1)}`;
  }

  /** What every turn has, whatever its key. */
  function baseOf(request: EdgeRequest, rule: CacheRule): CacheContext {
    return {
      parts,
      request,
      rule,
      requester: "credentialed",
      key: "",
      url: "",
      urlHash: "",
      invalidationKey: "",
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
  function invalidating(edgeRequest: EdgeRequest): CacheHandler {
    const { request } = edgeRequest;
    return {
      async respond(origin) {
        const reply = await origin.fetch(request.headers);
        if (reply.kind === "failed") return { reply, cache: null };
        const urls = invalidatedUrls(request, reply.response).map((url) => new URL(url));
        const stored = urls.filter((url) => options.ruleOf?.(url) !== null);
        spread(await Promise.all(stored.map(invalidationOf)), edgeRequest);
        return { reply, cache: null };
      },
    };
  }

  /** Known here before the response ends, so that the next request in this isolate sees it; elsewhere after it. */
  function spread(gone: readonly Invalidation[], { after }: EdgeRequest): void {
    const at = platform.now();
    for (const each of gone) invalidations.add(each);
    if (!onRedis || gone.length === 0) return;
    after((batch) => {
      for (const each of gone) {
        invalidations.write(batch, each, at).then((kept) => {
          if (!kept) purges.tellLater([EVERYTHING], platform.now());
        });
      }
    });
  }

  async function invalidationOf(url: URL): Promise<Invalidation> {
    const name = cacheUrl(url, options.ruleOf?.(url)?.query);
    const urlHash = await identifier.hash("url", name);
    return { urlHash, invalidationKey: keys.response(everyonesKey(url, urlHash)), soft: false };
  }

  async function purge(request: PurgeRequest, requestId?: string): Promise<"everywhere" | "isolate"> {
    const { files, prefixes, tags, everything, soft } = request;
    const all: Purge[] = [
      ...(await Promise.all(files.map((file) => urlPurge(file, soft)))),
      ...prefixes.map((value): Purge => ({ target: { kind: "prefix", value }, soft })),
      ...tags.map((value): Purge => ({ target: { kind: "tag", value }, soft })),
      ...(everything ? [{ target: { kind: "everything", value: "" }, soft } as Purge] : []),
    ];
    const now = platform.now();
    purges.add(all, now);
    const counts = { files: files.length, prefixes: prefixes.length, tags: tags.length };
    events.emit("cache.purged", { request_id: requestId, ...counts, everything, soft });
    if (!onRedis) return "isolate";
    const batch = store.batch();
    const written = purges.write(all, now, keys, batch);
    await batch.send();
    return (await written) ? "everywhere" : "isolate";
  }

  async function urlPurge(url: URL, soft: boolean): Promise<Purge> {
    const value = await identifier.hash("url", cacheUrl(url, options.ruleOf?.(url)?.query));
    return { target: { kind: "url", value }, soft };
  }

  function sayCorrupt({ request }: CacheContext): void {
    if (saidCorrupt) return;
    saidCorrupt = true;
    events.emit("cache.corrupt", { request_id: request.requestId, route: request.route.name });
  }
}
