import type { Isolate } from "../edge/isolate.ts";
import type { AccessCheck } from "../edge/pipeline.ts";
import { dropOriginCors } from "../http/cors.ts";
import { originUrl } from "../http/path.ts";
import { Problem, type ProblemFacts } from "../http/problem.ts";
import type { EdgeRequest } from "../request/capability.ts";
import type { OriginFetch } from "../response-cache/origin-fetch.ts";
import { forward, type OriginReply } from "./forward.ts";
import { isWebSocketUpgrade, originHeaders } from "./request-headers.ts";
import { cleanResponse, type OriginSignals } from "./response-headers.ts";

/**
 * The origin behind the edge, for one request: what it is sent, and what its answer means for the edge itself (a session
 * that starts or ends, a key that is verified).
 *
 * @throws Problem where no origin is configured.
 */
export function originOf(isolate: Isolate, accessCheck: AccessCheck): OriginFetch {
  const { config, platform } = isolate;
  const { edgeRequest } = accessCheck;
  const { request, url, caller } = edgeRequest;
  const { origin } = config;
  if (!origin) throw new Problem(originMissing);

  return {
    repeatable: true,
    async fetch(clientHeaders: Headers): Promise<OriginReply> {
      const target = originUrl(origin.url, url);
      const via = await viaName(isolate);
      const user =
        accessCheck.session.kind === "active" || caller.session.kind === "absent" ? caller.user : null;
      const headers = originHeaders({
        headers: clientHeaders,
        url,
        clientAddress: request.headers.get("cf-connecting-ip"),
        requestId: edgeRequest.requestId,
        user,
        tier: caller.key.kind === "verified" || user ? caller.tier : null,
        identityTrusted: config.originToken !== null || origin.kind === "binding",
        originToken: config.originToken,
        via,
        platform,
      });
      const reply = await forward({
        url: target,
        method: request.method,
        headers,
        body: request.body,
        fetch:
          origin.kind === "binding" ? (input, init) => origin.binding.fetch(input, init) : platform.fetch,
        platform,
        deadlineMs: config.originDeadlineMs,
        via,
      });
      sayFailed(isolate, edgeRequest, target, reply);
      if (reply.kind === "failed" || isWebSocketUpgrade(request.headers)) return reply;
      const basePath = origin.url.pathname.replace(/\/+$/, "");
      const { response, signals } = cleanResponse(reply.response, {
        originUrl: target,
        edgeUrl: url,
        basePath,
      });
      if (isolate.cors.owned) dropOriginCors(response.headers);
      await applyOriginAnswer(isolate, accessCheck, response, signals);
      return { kind: "response", response };
    },
  };
}

const FAILURE_REASONS = {
  ORIGIN_UNREACHABLE: "unreachable",
  ORIGIN_TIMEOUT: "timeout",
  LOOP_DETECTED: "loop",
} as const;

/** Emits `origin.failed` where the origin fails, also where the client gets something stale in its place. */
function sayFailed(
  { events }: Isolate,
  { requestId, route }: EdgeRequest,
  { host }: URL,
  reply: OriginReply,
): void {
  const facts = { request_id: requestId, route: route.name, host };
  const status = reply.kind === "failed" ? reply.originStatus : reply.response.status;
  if (reply.kind === "failed" && status === undefined)
    events.emit("origin.failed", { ...facts, reason: FAILURE_REASONS[reply.code] });
  else if (reply.kind === "failed" || reply.response.status >= 500)
    events.emit("origin.failed", { ...facts, reason: "bad status", status });
}

/** What an answer of the origin's changes in the edge. */
async function applyOriginAnswer(
  isolate: Isolate,
  accessCheck: AccessCheck,
  response: Response,
  signals: OriginSignals,
): Promise<void> {
  const { edgeRequest } = accessCheck;
  const { caller, route, request } = edgeRequest;
  if (route.session && request.method === "POST" && response.ok) {
    await isolate.sessions.fromOrigin(
      accessCheck.edgeRequest,
      accessCheck.session,
      signals.session,
      response.headers,
    );
  }
  if (!route.verifiesKeys || caller.key.kind === "absent") return;
  const { hash } = caller.key;
  const onlyCredential =
    caller.session.kind === "absent" && caller.jwt.kind === "absent" && !request.headers.has("cookie");
  if (response.status === 401 || response.status === 403) {
    edgeRequest.after((batch) => isolate.verifiedKeys.forget(hash, batch));
  } else if (response.ok && onlyCredential) {
    edgeRequest.after((batch) => isolate.verifiedKeys.remember(hash, signals.caller, batch));
  }
}

/** This edge's name in `Via`: the same in all its isolates, and another in front of another origin. */
async function viaName({ identifier, config }: Isolate): Promise<string> {
  return `envoyou-edge-${(await identifier.hash("via", config.origin?.url.href ?? "")).slice(0, 8)}`;
}

/** What the client is told when the origin could not be asked, and nothing stale was allowed to stand in. */
export function originProblem(reply: Extract<OriginReply, { kind: "failed" }>): ProblemFacts {
  return { status: reply.status, code: reply.code, ...ORIGIN_FAILURES[reply.code] };
}

const ORIGIN_FAILURES = {
  ORIGIN_UNREACHABLE: { title: "Bad gateway", message: "The API behind the edge could not be reached." },
  ORIGIN_TIMEOUT: { title: "Gateway timeout", message: "The API behind the edge did not answer in time." },
  LOOP_DETECTED: { title: "Loop detected", message: "The request has been through this edge already." },
} as const;

const originMissing: ProblemFacts = {
  status: 503,
  code: "ORIGIN_NOT_CONFIGURED",
  title: "No origin",
  message: "The edge has no API to stand in front of: its operator must set ORIGIN_URL.",
};
