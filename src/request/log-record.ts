import type { Events } from "../events/events.ts";
import { type EventFields, METHODS } from "../events/table.ts";
import { rayOf } from "../http/per-request-fields.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";

type RequestFields = EventFields<"request">;

/** Who is asking, as the log names them. */
export interface LoggedCaller {
  /** Their HMAC. */
  hash: string;
  kind: NonNullable<RequestFields["caller_kind"]>;
  /** The name of their key in `API_KEYS`, or null. */
  key: string | null;
}

/** The caller of an identity, for the log. */
export function loggedCaller({
  identity: { hash, kind },
  key,
}: Pick<ConfirmedIdentity, "identity" | "key">): LoggedCaller {
  return { hash, kind, key: key.kind === "verified" ? key.name : null };
}

/** The facts of a request for its log line. */
export interface LogRecord {
  requestId: string;
  /** Its method, and what the platform says of it: the ray and the data centre. */
  request: Pick<Request, "method" | "headers" | "cf">;
  /** The deployed version, where the binding `CF_VERSION_METADATA` tells it. */
  version: string | null;
  /** The route as configured. The log never contains the path, which may hold personal data. */
  route: string;
  status: number;
  caller: LoggedCaller | null;
  /** `allowed`, or the code of the refusal in lower case. */
  verdict: string;
  limits: NonNullable<RequestFields["limits"]> | null;
  /** The policy that refuses the request, or else is nearest to it. */
  policy: string | null;
  /** Who counted. */
  source: NonNullable<RequestFields["source"]> | null;
  session: NonNullable<RequestFields["session"]> | null;
  /** What became of the eager fetch, where there was one. */
  eager?: RequestFields["eager"];
  /** The cache's outcome in lower case: `hit`, `miss`, `stale` … */
  cache: string | null;
  /** Why the cache did not answer. */
  cacheReason: string | null;
  storeCalls: number;
  /** Milliseconds that the request waits for the store. */
  storeMs: number;
  /** Milliseconds that the request waits for the origin, or null where it does not ask. */
  originMs: number | null;
  /** Bytes of the answer's body as its fields say, or null where they do not. */
  bytes: number | null;
  /** Milliseconds from the arrival to the response's header fields. */
  totalMs: number;
}

/** Emits the `request` event. What a request has nothing of is left out, because the log is paid for by the byte. */
export function logRequest(events: Events, record: LogRecord): void {
  const { request, caller } = record;
  events.emit("request", {
    request_id: record.requestId,
    // Both are read only where somebody receives the event. The runtime parses the whole of `cf` for the colo, which was a
    // twelfth of a hit's CPU in a profile.
    get ray() {
      return rayOf(request.headers);
    },
    get colo() {
      return coloOf(request);
    },
    version: record.version ?? undefined,
    // A client may send any token as method (RFC 9110 §9.1). The log contains only known ones.
    method: METHODS.find((method) => method === request.method) ?? "other",
    route: record.route,
    status: record.status,
    caller: caller?.hash ?? null,
    caller_kind: caller?.kind,
    key: caller?.key ?? undefined,
    verdict: record.verdict,
    limits: record.limits,
    policy: record.policy ?? undefined,
    source: record.source ?? undefined,
    session: record.session,
    cache: record.cache,
    cache_reason: record.cacheReason ?? undefined,
    eager: record.eager,
    store_calls: record.storeCalls,
    store_ms: record.storeMs,
    origin_ms: record.originMs ?? undefined,
    total_ms: record.totalMs,
    bytes: record.bytes ?? undefined,
  });
}

/** The data centre's airport code (IATA). */
function coloOf({ cf }: Pick<Request, "cf">): string | undefined {
  const colo = cf?.colo;
  return typeof colo === "string" && /^[A-Z]{3}$/.test(colo) ? colo : undefined;
}
