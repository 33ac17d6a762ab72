import type { EdgeRequest } from "../capability.ts";
import type { CacheRule } from "../config/index.ts";
import type { OriginReply } from "../gateway/index.ts";
import type { Platform } from "../platform.ts";
import { Problem } from "../problem/index.ts";
import { collect } from "./collect.ts";
import type { Entry } from "./entry.ts";
import type { Flights } from "./flights.ts";
import type { IsolateTier } from "./isolate-tier.ts";
import { prepareWrite } from "./redis-tier.ts";
import {
  type Asker,
  type CacheStatus,
  claimOf,
  confirmedBy,
  currentAge,
  cutShort,
  type Freshness,
  type FwdReason,
  freshened,
  freshnessOf,
  isOriginError,
  mayReuse,
  mayServeOnError,
  originRequestHeaders,
  type ResponseFacts,
  requestDirectives,
  responseDirectives,
  retentionSeconds,
  storing,
  validationCandidates,
} from "./rules/index.ts";
import { type CacheWord, passOn, serveEntry } from "./serving.ts";
import type { CacheTurn, OriginFetch } from "./turn.ts";
import { variantText } from "./variants.ts";

/** One request at the cache, with what was found for it. */
export interface CacheContext {
  request: EdgeRequest;
  rule: CacheRule;
  asker: Asker;
  /** Hash of audience and URL: the entry's name in both tiers. */
  key: string;
  url: string;
  urlHash: string;
  entry: Entry | null;
  /** A soft purge made it stale then, ms since the epoch. */
  staleSince: number | null;
  /** The URL is stored, but no variant for this request. */
  varyMiss: boolean;
  /** Neither looked up nor stored. */
  bypass: boolean;
  /** Stored, never served. */
  observe: boolean;
  maxBodyBytes: number;
  tier: IsolateTier;
  flights: Flights;
  platform: Platform;
  /** The key in Redis, or null where entries stay in the isolate. */
  redisKey: ((key: string) => string) | null;
}

/** Answers one request from what is stored, or from the origin, and keeps what may be kept. */
export class Cached {
  readonly #context: CacheContext;
  readonly #client: Request;
  /** What may be served to this request: none in observation, none of a stranger's making. */
  readonly #entry: Entry | null;

  constructor(context: CacheContext) {
    this.#context = context;
    this.#client = context.request.request;
    const { entry, observe, rule, asker } = context;
    // RFC 9111 §3.5 from the other side: whoever carries credentials may expect an answer of their own, unless the
    // stored one says that it is for everybody.
    const forOthers = rule.scope === "public" && asker !== "anonymous" && entry?.shareable === false;
    this.#entry = observe || forOthers ? null : entry;
  }

  turn(): CacheTurn {
    return { respond: (origin) => this.#respond(origin) };
  }

  async #respond(origin: OriginFetch): Promise<OriginReply> {
    const { bypass, platform } = this.#context;
    if (bypass) return this.#pass(await origin.fetch(this.#client.headers), { fwd: "bypass" }, "BYPASS");
    const entry = this.#entry;
    const reuse = entry && this.#reuse(entry);
    if (entry && reuse?.kind === "fresh") {
      return this.#serve(entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "HIT");
    }
    if (entry && reuse?.kind === "stale" && (!reuse.revalidate || origin.repeatable)) {
      if (reuse.revalidate) this.#revalidateBeside(origin, entry);
      return this.#serve(entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "STALE");
    }
    if (requestDirectives(this.#client.headers).onlyIfCached) throw new Problem(ONLY_IF_CACHED);
    if (this.#client.headers.has("range") && !entry) {
      return this.#pass(await origin.fetch(this.#client.headers), { fwd: "partial" }, "MISS");
    }
    const fwd: FwdReason = entry ? (reuse?.kind === "revalidate" ? reuse.because : "stale") : this.#missed();
    const waited = entry ? null : await this.#waitForAnother(fwd);
    if (waited) return waited;
    const landed = this.#client.method === "GET" ? this.#context.flights.take(this.#context.key) : null;
    const requestTime = platform.now();
    const asking = this.#ask(origin, entry);
    // The client going away must not end what others wait for.
    this.#context.request.beside(asking.then(ignore, ignore));
    try {
      return await this.#receive(await asking, origin, entry, fwd, requestTime, landed);
    } catch (error) {
      landed?.();
      throw error;
    }
  }

  #ask(origin: OriginFetch, entry: Entry | null): Promise<OriginReply> {
    // A handler behind a middleware answers the request as it came: it is not asked to validate anything.
    const candidates = entry && origin.repeatable ? validationCandidates([entry.meta], entry.meta) : [];
    return origin.fetch(originRequestHeaders(this.#client.headers, candidates));
  }

  async #receive(
    reply: OriginReply,
    origin: OriginFetch,
    entry: Entry | null,
    fwd: FwdReason,
    requestTime: number,
    landed: (() => void) | null,
  ): Promise<OriginReply> {
    const failed = reply.kind === "failed" || isOriginError(reply.response.status);
    if (failed && entry && this.#mayServeOnError(entry)) {
      landed?.();
      if (reply.kind === "response") void reply.response.body?.cancel().catch(ignore);
      const status = reply.kind === "failed" ? {} : { fwdStatus: reply.response.status };
      return this.#serve(entry, { fwd, ...status }, "STALE");
    }
    if (reply.kind === "failed") {
      landed?.();
      return reply;
    }
    const { response } = reply;
    if (response.status === 304 && entry) {
      if (!confirmedBy(response.headers, [entry.meta])) {
        landed?.();
        const again = await origin.fetch(originRequestHeaders(this.#client.headers, []));
        return this.#receive(again, origin, null, fwd, requestTime, null);
      }
      const fresh = this.#freshen(entry, freshened(entry.meta, response.headers), requestTime);
      landed?.();
      return this.#serve(fresh.entry, { fwd, fwdStatus: 304, stored: fresh.stored }, "REVALIDATED");
    }
    return this.#storeAndPass(response, fwd, requestTime, landed);
  }

  /** The answer goes to the client as it comes; beside it a copy is gathered, for the isolate first and then for Redis. */
  #storeAndPass(
    response: Response,
    fwd: FwdReason,
    requestTime: number,
    landed: (() => void) | null,
  ): OriginReply {
    const { flights, key, maxBodyBytes, request } = this.#context;
    const made = this.#entryFrom(response, requestTime);
    const said = lengthSaid(response.headers);
    if (!made || (said !== null && said > maxBodyBytes)) {
      if (this.#client.method === "GET") flights.uncacheable(key);
      landed?.();
      return this.#pass({ kind: "response", response }, { fwd }, "MISS");
    }
    flights.cacheable(key);
    const [forClient, forStore] = response.body ? response.body.tee() : [null, null];
    const gathered = collect(forStore, maxBodyBytes, said).then(async (body) => {
      if (body) await this.#keep({ ...made, body });
      else flights.uncacheable(key);
      landed?.();
    });
    request.beside(gathered.catch(ignore));
    const { status, statusText, headers } = response;
    const passed = new Response(forClient, { status, statusText, headers });
    return this.#pass({ kind: "response", response: passed }, { fwd, stored: true }, "MISS");
  }

  /** What is stored of a response, but for its body; null where it may not be. */
  #entryFrom(response: ResponseFacts, requestTime: number): Omit<Entry, "body"> | null {
    const { rule, asker, platform } = this.#context;
    const responseTime = platform.now();
    const { method, url, headers } = this.#client;
    const verdict = storing({
      request: { method, url, headers },
      response,
      requestTime,
      responseTime,
      asker,
      rule,
    });
    if (verdict.kind === "refuse") return null;
    const { stored, freshness } = verdict;
    return {
      id: Array.from(platform.randomBytes(12), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      variant: variantText(stored.vary, headers),
      meta: stored,
      shareable: claimOf(response, responseDirectives(response.headers)) === "shareable",
      tags: tagsOf(response.headers, rule.tags),
      keepUntil: responseTime + retentionSeconds(stored, freshness, responseTime) * 1000,
    };
  }

  #freshen(entry: Entry, response: ResponseFacts, requestTime: number): { entry: Entry; stored: boolean } {
    const made = this.#entryFrom(response, requestTime);
    if (made) {
      const fresh = { ...made, body: entry.body };
      this.#context.request.beside(this.#keep(fresh).catch(ignore));
      return { entry: fresh, stored: true };
    }
    this.#context.tier.drop(this.#context.key);
    const now = this.#context.platform.now();
    const meta = {
      ...entry.meta,
      headers: [...response.headers] as [string, string][],
      requestTime,
      responseTime: now,
    };
    return { entry: { ...entry, meta }, stored: false };
  }

  async #keep(entry: Entry): Promise<void> {
    const { tier, key, redisKey, request, platform } = this.#context;
    tier.put(key, entry);
    if (!redisKey) return;
    const write = await prepareWrite(redisKey(key), entry, platform.now());
    request.after(write);
  }

  /** One request of this isolate asks the origin, the others wait for its answer (law 4). */
  async #waitForAnother(fwd: FwdReason): Promise<OriginReply | null> {
    const { flights, key, tier, observe } = this.#context;
    if (this.#client.method !== "GET" || observe || flights.inVain(key)) return null;
    if (!(await flights.wait(key))) return null;
    const entry = tier.find(key, this.#client.headers);
    if (!entry || this.#reuse(entry).kind !== "fresh") return null;
    return this.#serve(entry, { fwd, collapsed: true }, "HIT");
  }

  #revalidateBeside(origin: OriginFetch, entry: Entry): void {
    const { flights, key, platform, request } = this.#context;
    const landed = flights.take(`${key} revalidation`);
    if (!landed) return;
    const requestTime = platform.now();
    const revalidation = this.#ask(origin, entry).then(async (reply) => {
      if (reply.kind === "failed" || isOriginError(reply.response.status)) return;
      const { response } = reply;
      if (response.status === 304) {
        if (confirmedBy(response.headers, [entry.meta]))
          this.#freshen(entry, freshened(entry.meta, response.headers), requestTime);
        return;
      }
      const made = this.#entryFrom(response, requestTime);
      const body = made
        ? await collect(response.body, this.#context.maxBodyBytes, lengthSaid(response.headers))
        : null;
      if (made && body) await this.#keep({ ...made, body });
      else this.#context.tier.drop(key);
    });
    request.beside(revalidation.then(landed, landed));
  }

  #reuse(entry: Entry) {
    const { rule, platform } = this.#context;
    return mayReuse({
      stored: entry.meta,
      requestHeaders: this.#client.headers,
      rule,
      now: platform.now(),
      freshness: this.#freshness(entry),
    });
  }

  #mayServeOnError(entry: Entry): boolean {
    const { rule, platform } = this.#context;
    const { headers } = this.#client;
    const now = platform.now();
    return mayServeOnError({
      stored: entry.meta,
      requestHeaders: headers,
      rule,
      now,
      freshness: this.#freshness(entry),
    });
  }

  #freshness(entry: Entry): Freshness {
    const { rule, staleSince } = this.#context;
    const freshness = freshnessOf(entry.meta, rule);
    return staleSince === null ? freshness : cutShort(freshness, entry.meta, staleSince);
  }

  #missed(): FwdReason {
    const { varyMiss, tier, key } = this.#context;
    return varyMiss || tier.holds(key) ? "vary-miss" : "uri-miss";
  }

  #serve(entry: Entry, status: CacheStatus, word: CacheWord): OriginReply {
    const now = this.#context.platform.now();
    const ttl = status.ttl ?? this.#freshness(entry).lifetime - currentAge(entry.meta, now);
    return {
      kind: "response",
      response: serveEntry({ entry, request: this.#client, status: { ...status, ttl }, word, now }),
    };
  }

  #pass(reply: OriginReply, status: CacheStatus, word: CacheWord): OriginReply {
    if (reply.kind === "failed") return reply;
    const response = passOn(reply.response, this.#client, status, word);
    return { kind: "response", response };
  }
}

/** `Cache-Tag` (and its alias `Surrogate-Key`, which separates by spaces), and the route's own. Lower case, at most 64. */
function tagsOf(headers: Headers, own: readonly string[]): string[] {
  const said = `${headers.get("cache-tag") ?? ""},${(headers.get("surrogate-key") ?? "").replaceAll(" ", ",")}`;
  const tags = [...own, ...said.split(",")].map((tag) => tag.trim().toLowerCase());
  return [...new Set(tags.filter((tag) => tag !== "" && tag.length <= 1024))].slice(0, 64);
}

/** `Content-Length`, where it counts the bytes that are read here: not those of a coding that the runtime undid. */
function lengthSaid(headers: Headers): number | null {
  const text = headers.get("content-length");
  return text !== null && /^\d+$/.test(text) && !headers.has("content-encoding") ? Number(text) : null;
}

function ignore(): void {}

const ONLY_IF_CACHED = {
  status: 504,
  code: "ONLY_IF_CACHED",
  title: "Not in the cache",
  message: "The request asked for a stored answer only, and there is none that may be used.",
};
