import { PLAIN_FIELDS } from "../http/plain-fields.ts";
import type { RepeatedLimits } from "../ratelimit/prepare.ts";
import { AfterResponse } from "../request/deferred.ts";
import { type LoggedCaller, loggedCaller } from "../request/log-record.ts";
import type { RepeatedHit } from "../response-cache/outcome.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Admitted } from "./admission.ts";
import { finish } from "./finish.ts";
import type { Isolate } from "./isolate.ts";
import { type Answer, NO_FINDINGS } from "./outcome.ts";
import type { Received } from "./receive.ts";

/** Most URLs, and bytes of their texts, and most callers that are remembered. */
const MAX_URLS = 10_000;
const MAX_URL_BYTES = 8 * 1024 * 1024;
const MAX_CALLERS = 10_000;
/** Characters of an IPv6 address with an IPv4 address in it, the longest form. */
const MAX_ADDRESS_LENGTH = 45;

/** What follows from a URL alone. */
interface KnownUrl {
  route: KnownRoute;
  hit: RepeatedHit;
}

interface KnownRoute {
  /** Its place among the configured ones. */
  id: number;
  /** As the log has it. */
  name: string;
}

/** What follows from a route and an address, for a request without credentials. */
interface KnownCaller {
  limits: RepeatedLimits;
  logged: LoggedCaller;
}

/**
 * Answers a request that repeats another: a GET of a public route, without credentials and conditions, that a lease and an entry in the
 * isolate answer. All that follows from its URL and its address is remembered from the first, which took all steps: route, caller,
 * charges, the entry's address. What may have changed since is asked again: whether there are units, and whether the entry is there, fresh
 * and not purged. Where anything is missing the request takes all steps, and nothing has been done for it.
 */
export class Repeats {
  readonly #isolate: Isolate;
  readonly #plainFields: ReadonlySet<string>;
  readonly #urls: BoundedMap<KnownUrl>;
  readonly #callers: BoundedMap<KnownCaller>;

  constructor(isolate: Isolate) {
    const { platform, config } = isolate;
    this.#isolate = isolate;
    // `CREDENTIAL_FIELDS` may name any field.
    this.#plainFields = new Set(PLAIN_FIELDS.filter((name) => !config.credentials.isSecretField(name)));
    this.#urls = new BoundedMap({
      platform,
      entries: MAX_URLS,
      bytes: MAX_URL_BYTES,
      sizeOf: (_, url) => 4 * url.length + 512,
      whenFull: "evict",
    });
    this.#callers = new BoundedMap({ platform, entries: MAX_CALLERS, whenFull: "evict" });
  }

  /** @returns null where the request is to take all steps. */
  answer(request: Request, waitUntil: Received["waitUntil"]): Response | null {
    if (request.method !== "GET") return null;
    const known = this.#urls.get(request.url);
    const caller = known && this.#caller(known.route, request.headers);
    if (!caller) return null;
    const found = known.hit.answer(request);
    if (found?.reply.kind !== "response") return null;
    const limits = caller.limits();
    if (!limits) return null;
    const { response } = found.reply;
    const findings = { ...NO_FINDINGS, route: known.route.name, caller: caller.logged, limits };
    const answer: Answer = { kind: "answer", response, cache: found.cache, session: null, made: true };
    return finish(this.#isolate, new RepeatedRequest(this.#isolate, request, waitUntil), findings, answer);
  }

  /** Remembers a request that has taken all steps, where the next one like it need not. */
  learn({ request }: Received, admitted: Admitted, answer: Answer): void {
    const { headers } = request;
    const address = headers.get("cf-connecting-ip");
    if (answer.cache?.word !== "HIT" || answer.byCaller || answer.session) return;
    if (!isSimple(admitted) || !address || address.length > MAX_ADDRESS_LENGTH) return;
    if (request.method !== "GET" || !this.#isPlain(headers)) return;
    const hit = admitted.cache?.repeated?.();
    const limits = this.#isolate.limiter.repeated(admitted.request.route, admitted.identity);
    if (!hit || !limits) return;
    // Two routes may have one name.
    const route = {
      id: this.#isolate.config.routes.indexOf(admitted.request.route),
      name: admitted.findings.route,
    };
    if (route.id === -1) return;
    this.#urls.set(request.url, { route, hit });
    this.#callers.set(callerKey(route, address), { limits, logged: loggedCaller(admitted.identity) });
  }

  #caller(route: KnownRoute, headers: Headers): KnownCaller | null {
    const address = headers.get("cf-connecting-ip");
    if (!address || address.length > MAX_ADDRESS_LENGTH) return null;
    const caller = this.#callers.get(callerKey(route, address));
    return caller && this.#isPlain(headers) ? caller : null;
  }

  #isPlain(headers: Headers): boolean {
    let plain = true;
    // `keys()` makes an iterator and an object for each name, which the runtime has to free.
    headers.forEach((_, name) => {
      plain &&= this.#plainFields.has(name);
    });
    return plain;
  }
}

/** A request that nobody asks for its parsed URL. */
class RepeatedRequest implements Received {
  readonly request: Request;
  readonly requestId: string;
  readonly startedAt: number;
  readonly deferred: AfterResponse;
  readonly waitUntil: Received["waitUntil"];

  constructor(
    { platform, newRequestId, store, sessions, events }: Isolate,
    request: Request,
    waitUntil: Received["waitUntil"],
  ) {
    const requestId = newRequestId();
    this.request = request;
    this.requestId = requestId;
    this.startedAt = platform.now();
    this.deferred = new AfterResponse({
      store,
      events,
      requestId,
      maintain: sessions.maintenance,
      waitUntil,
    });
    this.waitUntil = waitUntil;
  }

  get url(): URL {
    return new URL(this.request.url);
  }
}

/** Whether nothing but its URL and its address has decided of a request, without a call. */
function isSimple({ request: { route, claims }, session, findings }: Admitted): boolean {
  const { credentials, key, jwt } = claims;
  return (
    route.access === "public" &&
    route.session === null &&
    route.originFetch === null &&
    !credentials.any &&
    key.kind === "absent" &&
    jwt.kind === "absent" &&
    session.kind === "none" &&
    findings.storeCalls === 0 &&
    findings.eager === null &&
    findings.observed === null
  );
}

function callerKey({ id }: KnownRoute, address: string): string {
  return `${id} ${address}`;
}
