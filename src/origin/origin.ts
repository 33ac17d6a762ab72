import type { Config } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import { dropOriginCors } from "../http/cors.ts";
import { echoesRequest, maxForwards } from "../http/methods.ts";
import { problem } from "../http/problem.ts";
import { connectingAddress } from "../identity/address.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import type { VerifiedKeys } from "../identity/verified-keys.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type {
  FailureCode,
  OriginFailure,
  OriginFetch,
  OriginFetchOptions,
  OriginReply,
} from "../request/origin-reply.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Sessions } from "../session/sessions.ts";
import type { SessionVerdict } from "../session/verdict.ts";
import { EagerFetch, type EagerOutcome, type Sent } from "./eager-fetch.ts";
import { forward } from "./forward.ts";
import { noteVerifiedKey } from "./note-verified-key.ts";
import { originUrl } from "./origin-url.ts";
import { originHeaders } from "./request-headers.ts";
import { answerBody } from "./response-body.ts";
import { cleanResponse, type OriginSignals } from "./response-headers.ts";

export interface OriginOptions {
  config: Pick<Config, "origin" | "originToken" | "originDeadlineMs" | "credentials">;
  platform: Platform;
  events: Events;
  sessions: Pick<Sessions, "fromOrigin">;
  verifiedKeys: Pick<VerifiedKeys, "remember" | "forget">;
  /** Whether the edge handles CORS. Then the origin's CORS fields are deleted before a response is stored. */
  ownsCors: boolean;
  /** Whether an answer that is late is aborted: where the invocation may go on for long without it. Default the runtime ends it. */
  aborts?: boolean;
  /** This edge's pseudonym in `Via`: the same in all isolates, another for another origin. */
  viaName(): Promise<string>;
}

/** A request with its confirmed identity. */
export interface OriginCaller {
  request: EdgeRequest;
  identity: ConfirmedIdentity;
  session: SessionVerdict;
}

/**
 * The origin for one request. It sends the request, and applies the signals of the response: a session that starts or ends,
 * a verified API key.
 *
 * @param eager The request as it was sent already. Default it was not.
 * @throws Problem where no origin is configured, and for a method that would tell the client what the origin is sent.
 */
export function originFor(options: OriginOptions, caller: OriginCaller, eager?: EagerFetch): OriginFetch {
  const { origin } = options.config;
  if (!origin) throw problem("ORIGIN_NOT_CONFIGURED");
  const { request } = caller.request;
  if (echoesRequest(request.method))
    throw problem("METHOD_NOT_ALLOWED", { headers: { allow: FORWARDED_METHODS } });
  if (maxForwards(request) === 0) return LAST_RECIPIENT;

  return {
    repeatable: true,
    failed: (failure) => noteFailure(options, caller.request, origin.url, failure),
    async fetch(clientHeaders, { method = request.method, ...more } = {}) {
      return received(options, caller, await send(options, caller, { method, clientHeaders }), more);
    },
    eager: eager?.asReply((sent, more) => received(options, caller, sent, more)),
  };
}

/**
 * Sends a request before it is known whether it is needed.
 *
 * @param clientHeaders The client's fields, with the cache's conditions.
 * @param ended See {@link EagerFetch}.
 */
export function fetchEagerly(
  options: OriginOptions,
  caller: OriginCaller,
  clientHeaders: Headers,
  ended: (outcome: EagerOutcome) => void,
): EagerFetch {
  const abort = new AbortController();
  const sentAt = options.platform.now();
  const { method } = caller.request.request;
  return new EagerFetch(sentAt, send(options, caller, { method, clientHeaders, abort }), { abort, ended });
}

/** What a client is told to use in place of a method that is never forwarded (RFC 9110 §15.5.6). */
const FORWARDED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** What stands in for the origin where a request is to go no further: the edge answers for itself (RFC 9110 §7.6.2, §9.3.7). */
const LAST_RECIPIENT: OriginFetch = {
  repeatable: true,
  async fetch() {
    return {
      kind: "response",
      response: new Response(null, { status: 204, headers: { allow: FORWARDED_METHODS } }),
    };
  },
};

/**
 * Cloudflare's own cache, which every fetch of a Worker goes through, is passed by: what it holds no purge of the edge's reaches,
 * and it would answer everybody with a file that the origin made for one user, whom a cookie or `X-User-Id` names. It is what the
 * runtime makes of `cache: "no-store"`, which would also send the origin a `Cache-Control` and a `Pragma` that no client has sent.
 */
const PAST_CLOUDFLARES_CACHE: RequestInitCfProperties = { cacheTtl: -1, cacheLevel: "bypass" };

/** Sends a request. @throws Problem where no origin is configured. */
async function send(
  options: OriginOptions,
  caller: OriginCaller,
  { method, clientHeaders, ...given }: { method: string; clientHeaders: Headers; abort?: AbortController },
): Promise<Sent> {
  const { config, platform } = options;
  const abort = given.abort ?? (options.aborts ? new AbortController() : undefined);
  const { origin } = config;
  if (!origin) throw problem("ORIGIN_NOT_CONFIGURED");
  const { request, forwarded } = caller.request;
  const url = originUrl(origin.url, forwarded.url);
  const via = await options.viaName();
  const headers = headersFor(options, caller, clientHeaders, via);
  const sentAt = platform.now();
  const reply = forward({
    ...{ method, headers, url, platform, via, abort },
    body: request.body,
    // A bound Worker would get it as its `request.cf`.
    ...(origin.kind === "binding"
      ? { fetch: (input, init) => origin.binding.fetch(input, init) }
      : { fetch: platform.fetch, cf: PAST_CLOUDFLARES_CACHE }),
    deadlineMs: config.originDeadlineMs,
  });
  return { method, headers, url, sentAt, reply };
}

/**
 * Waits for the answer, cleans it and applies its signals: also those of one that fails in its body, but for a session that starts, whose
 * token nobody would get.
 */
async function received(
  options: OriginOptions,
  caller: OriginCaller,
  { reply: replying, ...sent }: Sent,
  { asBytes = false }: OriginFetchOptions,
): Promise<OriginReply> {
  const { platform, config } = options;
  const reply = await replying;
  countAnswer(options, caller.request.route.name, reply, sent.sentAt);
  const failed = (failure: OriginFailure) => {
    noteFailure(options, caller.request, sent.url, failure);
    return failure;
  };
  if (reply.kind === "failed") return failed(reply);
  const content = await answerBody(reply, {
    ...{ method: sent.method, asBytes, platform },
    deadlineMs: config.originDeadlineMs,
  });
  const broken = content.kind === "failed" ? failed(content) : null;
  if (!broken) noteFailure(options, caller.request, sent.url, reply);
  const { response, signals } = cleanResponse(reply.response, {
    originUrl: sent.url,
    edgeUrl: caller.request.url,
    basePath: sent.url.basePath,
    body: content.kind === "failed" ? null : content.body,
  });
  if (options.ownsCors) dropOriginCors(response.headers);
  const { status } = response;
  noteVerifiedKey(options, caller.request, { ...sent, status, signal: signals.caller });
  if (broken && caller.request.route.session === "start") return { ...broken, answered: response };
  const session = await sessionChange(options, caller, response, signals);
  if (content.kind === "failed") return { ...content, answered: response };
  return { kind: "response", response, made: true, bytes: content.bytes, session };
}

function headersFor(
  { config, platform }: OriginOptions,
  { request, identity }: OriginCaller,
  clientHeaders: Headers,
  via: string,
): Headers {
  return originHeaders({
    method: request.request.method,
    headers: clientHeaders,
    cacheRule: request.forwarded.rule,
    url: request.url,
    clientAddress: connectingAddress(request.request.headers),
    requestId: request.requestId,
    user: identity.user,
    tier: identity.tier,
    identityTrusted: config.originToken !== null || config.origin?.kind === "binding",
    originToken: config.originToken,
    via,
    platform,
  });
}

/**
 * Applies `X-Edge-Session`. It counts only in what follows a POST on a route with `session`: a 2xx, or a redirect that the
 * browser follows with a GET, as login forms are answered (RFC 9110 §15.4.3, §15.4.4).
 */
async function sessionChange(
  { sessions }: OriginOptions,
  { request, session }: OriginCaller,
  response: Response,
  signals: OriginSignals,
): Promise<SessionChange | null> {
  const { route } = request;
  if (!route.session || request.request.method !== "POST") return null;
  const { ok, status } = response;
  if (!ok && status !== 302 && status !== 303) return null;
  return sessions.fromOrigin(request, session, { signal: signals.session, isExpected: ok });
}

/** Of those that are the origin's fault, and not the client's. */
const FAILURE_REASONS = {
  ORIGIN_UNREACHABLE: "unreachable",
  ORIGIN_TIMEOUT: "timeout",
  LOOP_DETECTED: "loop",
} as const;

function failureReason(code: FailureCode) {
  return Object.hasOwn(FAILURE_REASONS, code) ? FAILURE_REASONS[code as keyof typeof FAILURE_REASONS] : null;
}

/** What is the client's fault is not counted. */
function countAnswer(
  { events: { meter }, platform }: OriginOptions,
  route: string,
  reply: OriginReply,
  sentAt: number,
): void {
  if (!meter) return;
  const failure = reply.kind === "failed" ? (reply.originStatus ?? failureReason(reply.code)) : null;
  const result = reply.kind === "failed" ? failure : reply.response.status;
  if (result !== null) meter.origin(route, result, platform.now() - sentAt);
}

/** Emits `origin.failed` where the origin fails, also where the client gets a stale answer. */
function noteFailure(
  { events }: OriginOptions,
  { requestId, route }: EdgeRequest,
  url: Pick<URL, "host">,
  reply: OriginReply,
): void {
  const status = reply.kind === "failed" ? reply.originStatus : reply.response.status;
  if (reply.kind === "response" && reply.response.status < 500) return;
  const facts = { request_id: requestId, route: route.name, host: url.host };
  if (reply.kind === "failed" && status === undefined) {
    const reason = failureReason(reply.code);
    if (reason) events.emit("origin.failed", { ...facts, reason });
  } else events.emit("origin.failed", { ...facts, reason: "bad status", status });
}
