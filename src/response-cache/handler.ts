import { Problem } from "../http/problem.ts";
import type { OriginReply } from "../origin/forward.ts";
import { identityBody } from "./body.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { fill, keep, lengthSaid, type Outline, outlineOf } from "./fill.ts";
import { applyHead, asGet, freshen } from "./freshen.ts";
import type { CacheHandler, OriginFetch } from "./origin-fetch.ts";
import { currentAge } from "./rules/age.ts";
import type { CacheStatus, FwdReason } from "./rules/cache-status.ts";
import { requestDirectives } from "./rules/directives.ts";
import { cutShort, type Freshness, freshnessOf } from "./rules/freshness.ts";
import { mayReuse, mayServeOnError } from "./rules/reuse.ts";
import { isOriginError } from "./rules/status.ts";
import { originRequestHeaders } from "./rules/validation.ts";
import { type CacheWord, passOn, serveEntry } from "./serve.ts";
import { type Candidate, candidatesOf, confirmed } from "./validate.ts";

/** A fetch of the origin under way: why, since when, and what to do when it is over. */
interface OriginRequest {
  origin: OriginFetch;
  entry: Entry | null;
  candidates: readonly Candidate[];
  fwd: FwdReason;
  /** Ms since the epoch. */
  requestTime: number;
  /** Lets those go on who wait for it. */
  done: () => void;
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
    const { entry, parts } = context;
    this.#entry = entry && !parts.observe && this.#isForClient(entry) ? entry : null;
  }

  /**
   * RFC 9111 §3.5 from the other side: whoever carries credentials may expect an answer of their own, unless the stored
   * one says that it is for everybody.
   */
  #isForClient({ shareable }: Entry): boolean {
    const { rule, requester } = this.#context;
    return rule.scope !== "public" || requester === "anonymous" || shareable;
  }

  turn(): CacheHandler {
    return { respond: (origin) => this.#respond(origin) };
  }

  async #respond(origin: OriginFetch): Promise<OriginReply> {
    const { headers, method } = this.#client;
    const { bypass } = this.#context;
    if (bypass) {
      // Not even a request that no entry could answer reaches the origin then (RFC 9111 §5.2.1.7).
      if (requestDirectives(headers).onlyIfCached) throw new Problem(ONLY_IF_CACHED);
      return this.#pass(await origin.fetch(headers), { fwd: bypass }, "BYPASS");
    }
    const entry = this.#entry;
    const reuse = entry && this.#reuse(entry);
    const renewed = entry && reuse?.kind !== "fresh" ? this.#renewed(entry) : null;
    if (renewed) return this.#serve(renewed, { hit: true }, "HIT");
    if (entry && reuse?.kind === "fresh") {
      return this.#serve(entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "HIT");
    }
    if (entry && reuse?.kind === "stale" && (!reuse.revalidate || origin.repeatable)) {
      if (reuse.revalidate) this.#revalidateInBackground(origin, entry);
      return this.#serve(entry, { hit: true, ttl: reuse.lifetime - reuse.age }, "STALE");
    }
    if (requestDirectives(headers).onlyIfCached) throw new Problem(ONLY_IF_CACHED);
    if (headers.has("range") && !entry) {
      return this.#pass(await origin.fetch(headers), { fwd: this.#missed() }, "MISS");
    }
    const fwd: FwdReason = entry ? (reuse?.kind === "revalidate" ? reuse.because : "stale") : this.#missed();
    const { parts } = this.#context;
    const fetchKey = this.#fetchKey();
    let done = method === "GET" ? parts.inFlight.take(fetchKey) : null;
    if (!done && this.#mayWait(entry, fwd)) {
      const waited = await this.#waitForAnother(fwd);
      if (waited) return waited;
      done = parts.inFlight.take(fetchKey);
    }
    const originRequest: OriginRequest = {
      origin,
      entry,
      candidates: this.#candidates(origin, entry),
      fwd,
      requestTime: parts.platform.now(),
      done: done ?? ignore,
    };
    const asking = origin.fetch(originRequestHeaders(headers, metas(originRequest.candidates)));
    // The client going away must not end what others wait for.
    this.#context.request.waitUntil(asking.then(ignore, ignore));
    try {
      return await this.#receive(await asking, originRequest);
    } catch (error) {
      originRequest.done();
      throw error;
    }
  }

  /** What somebody else has brought since this request looked. */
  #renewed(entry: Entry): Entry | null {
    const newest = this.#found();
    return newest && newest.meta.requestTime > entry.meta.requestTime ? newest : null;
  }

  /** What the isolate now has for this request, where it is fresh, the client's to have, and of after any purge. */
  #found(): Entry | null {
    const { parts, key, selecting } = this.#context;
    const found = parts.tier.find(key, selecting);
    if (!found || !this.#isForClient(found) || this.#reuse(found).kind !== "fresh") return null;
    return parts.purgeStatus(this.#context, found).kind === "none" ? found : null;
  }

  /**
   * Whose fetch could bring what this request needs: of the same URL, the same variant as far as it is known by what the
   * URL varies, and, where answers depend on it, with or without credentials alike.
   */
  #fetchKey(): string {
    const { key, rule, requester, parts, selecting } = this.#context;
    const [newest] = parts.tier.variants(key);
    const variant = newest && selecting.canTell(newest.meta.vary) ? selecting.variant(newest.meta.vary) : "";
    return `${key} ${rule.scope === "public" ? requester : ""} ${variant}`;
  }

  /** A handler behind a middleware answers the request as it came: it is not asked to validate anything. */
  #candidates(origin: OriginFetch, entry: Entry | null): readonly Candidate[] {
    return origin.repeatable && !this.#context.parts.observe ? candidatesOf(this.#context, entry) : [];
  }

  async #receive(reply: OriginReply, originRequest: OriginRequest): Promise<OriginReply> {
    const { entry, fwd, done } = originRequest;
    const failed = reply.kind === "failed" || isOriginError(reply.response.status);
    if (failed && entry && this.#mayServeOnError(entry)) {
      done();
      if (reply.kind === "response") void reply.response.body?.cancel().catch(ignore);
      const status = reply.kind === "failed" ? {} : { fwdStatus: reply.response.status };
      return this.#serve(entry, { fwd, ...status }, "STALE");
    }
    if (reply.kind === "failed") {
      done();
      return reply;
    }
    const { response } = reply;
    if (response.status === 304 && originRequest.candidates.length > 0)
      return this.#validated(response, originRequest);
    if (this.#client.method === "HEAD" && entry && response.status === 200) {
      await applyHead(this.#context, response, entry, originRequest.requestTime);
    }
    return this.#storeAndPass(response, originRequest);
  }

  /** A 304 (RFC 9111 §4.3.3, §4.3.4): what it confirms is served with its new fields; if it is nothing here, once more. */
  async #validated(response: Response, originRequest: OriginRequest): Promise<OriginReply> {
    const { fwd, requestTime, done, origin } = originRequest;
    const entry = await confirmed(this.#context, response.headers, originRequest.candidates);
    if (!entry) {
      const again = await origin.fetch(originRequestHeaders(this.#client.headers, []));
      return this.#receive(again, { ...originRequest, candidates: [] });
    }
    const { entry: fresh, stored } = await freshen(this.#context, entry, response.headers, requestTime);
    done();
    return this.#serve(fresh, { fwd, fwdStatus: 304, stored }, "REVALIDATED");
  }

  /** The answer goes to the client as it comes; beside it a copy is gathered, for the isolate first and then for Redis. */
  async #storeAndPass(response: Response, originRequest: OriginRequest): Promise<OriginReply> {
    const { fwd, requestTime, done, origin } = originRequest;
    const { request, parts } = this.#context;
    const { inFlight, maxBodyBytes } = parts;
    const outlined = await outlineOf(this.#context, response, requestTime);
    const said = lengthSaid(response.headers);
    const tooLong = said !== null && said > maxBodyBytes;
    // Nobody can tell whether a handler's body is encoded already, or will be by the runtime.
    const unreadable = !origin.repeatable && response.headers.has("content-encoding");
    const fetchKey = this.#fetchKey();
    if (outlined.kind === "none" || tooLong || unreadable) {
      const mine = outlined.kind === "none" && outlined.because === "request";
      if (this.#client.method === "GET" && !mine) inFlight.uncacheable(fetchKey);
      done();
      return this.#pass({ kind: "response", response }, { fwd }, "MISS");
    }
    inFlight.cacheable(fetchKey);
    const { outline } = outlined;
    if (response.body && said !== null && said <= SMALL_BODY)
      return this.#storeSmall(response, said, outline, originRequest);
    const [forClient, forStore] = response.body ? response.body.tee() : [null, null];
    const gathered = fill(this.#context, outline, forStore, said).then((entry) => {
      if (!entry) inFlight.uncacheable(fetchKey);
    });
    request.waitUntil(gathered.catch(ignore).then(done));
    const { status, statusText, headers } = response;
    const passed = new Response(forClient, { status, statusText, headers });
    return this.#pass({ kind: "response", response: passed }, { fwd, stored: true }, "MISS");
  }

  /** A small body is read first: to hand it out and to keep it is then one thing, where a stream would have to be split. */
  async #storeSmall(
    response: Response,
    said: number,
    outline: Outline,
    originRequest: OriginRequest,
  ): Promise<OriginReply> {
    const { fwd, done } = originRequest;
    const { inFlight } = this.#context.parts;
    const { status, statusText, headers } = response;
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch {
      // It broke off: as if the origin had not been reached.
      inFlight.uncacheable(this.#fetchKey());
      const failed = { kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" } as const;
      return this.#receive(failed, { ...originRequest, candidates: [] });
    }
    const stored = bytes.length === said;
    if (stored) {
      const kept = keep(this.#context, { ...outline, body: identityBody(bytes) });
      this.#context.request.waitUntil(kept.catch(ignore));
    } else {
      inFlight.uncacheable(this.#fetchKey());
    }
    done();
    const passed = new Response(bytes, { status, statusText, headers });
    return this.#pass({ kind: "response", response: passed }, { fwd, stored }, "MISS");
  }

  /** Whether somebody else's fetch could bring what this request needs. */
  #mayWait(entry: Entry | null, fwd: FwdReason): boolean {
    const { parts } = this.#context;
    if (this.#client.method !== "GET" || parts.observe || parts.inFlight.knownUncacheable(this.#fetchKey()))
      return false;
    if (!entry) return true;
    // What is never fresh would be fetched again after the wait.
    const { mustValidate, lifetime } = this.#freshness(entry);
    return fwd === "stale" && !mustValidate && lifetime > 0;
  }

  /** One request of this isolate asks the origin, the others wait for its answer (law 4). */
  async #waitForAnother(fwd: FwdReason): Promise<OriginReply | null> {
    const { selecting, parts } = this.#context;
    if (!(await parts.inFlight.wait(this.#fetchKey()))) return null;
    await selecting.hide();
    const found = this.#found();
    return found && this.#serve(found, { fwd, collapsed: true }, "HIT");
  }

  #revalidateInBackground(origin: OriginFetch, entry: Entry): void {
    const { key, request, parts } = this.#context;
    const done = parts.inFlight.take(`${key} revalidation`);
    if (!done) return;
    request.waitUntil(this.#revalidate(origin, entry, parts.platform.now()).then(done, done));
  }

  async #revalidate(origin: OriginFetch, entry: Entry, requestTime: number): Promise<void> {
    const { parts, key } = this.#context;
    const candidates = this.#candidates(origin, entry);
    const reply = await origin.fetch(originRequestHeaders(this.#client.headers, metas(candidates)));
    if (reply.kind === "failed" || isOriginError(reply.response.status)) return;
    const { response } = reply;
    if (response.status === 304) {
      const valid = await confirmed(this.#context, response.headers, candidates);
      if (valid) await freshen(this.#context, valid, response.headers, requestTime);
      return;
    }
    const outlined = await outlineOf(asGet(this.#context), response, requestTime);
    if (outlined.kind === "outline") {
      // A body that breaks off leaves what was there: it may yet stand in for an origin that fails.
      await fill(this.#context, outlined.outline, response.body, lengthSaid(response.headers));
    } else if (outlined.because === "response") {
      parts.tier.drop(key);
    }
  }

  #reuse(entry: Entry) {
    return mayReuse(this.#reuseFacts(entry));
  }

  #mayServeOnError(entry: Entry): boolean {
    return mayServeOnError(this.#reuseFacts(entry));
  }

  #reuseFacts(entry: Entry) {
    const { rule, parts } = this.#context;
    const now = parts.platform.now();
    const freshness = this.#freshness(entry);
    return { stored: entry.meta, requestHeaders: this.#client.headers, rule, now, freshness };
  }

  #freshness(entry: Entry): Freshness {
    const { rule, staleSince } = this.#context;
    const freshness = freshnessOf(entry.meta, rule);
    return staleSince === null || entry !== this.#entry
      ? freshness
      : cutShort(freshness, entry.meta, staleSince);
  }

  #missed(): FwdReason {
    const { varyMiss, key, parts } = this.#context;
    return varyMiss || parts.tier.holds(key) ? "vary-miss" : "uri-miss";
  }

  async #serve(entry: Entry, status: CacheStatus, word: CacheWord): Promise<OriginReply> {
    const { key, parts } = this.#context;
    const now = parts.platform.now();
    const ttl = status.ttl ?? this.#freshness(entry).lifetime - currentAge(entry.meta, now);
    const told = { ...status, ttl };
    const deflated = entry.body.identity === null;
    const response = await serveEntry({ entry, request: this.#client, status: told, word, now });
    // Inflating it for this client has made it larger.
    if (deflated && entry.body.identity) parts.tier.weigh(key, entry);
    return { kind: "response", response };
  }

  #pass(reply: OriginReply, status: CacheStatus, word: CacheWord): OriginReply {
    if (reply.kind === "failed") return reply;
    const response = passOn(reply.response, this.#client, status, word);
    return { kind: "response", response };
  }
}

function metas(candidates: readonly Candidate[]) {
  return candidates.map(({ meta }) => meta);
}

function ignore(): void {}

/** Bytes: what the origin sends in a few packets. */
const SMALL_BODY = 64 * 1024;

const ONLY_IF_CACHED = {
  status: 504,
  code: "ONLY_IF_CACHED",
  title: "Not in the cache",
  message: "The request asked for a stored answer only, and there is none that may be used.",
};
