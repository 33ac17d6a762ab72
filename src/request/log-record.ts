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

/** What a request has besides in its `request` event, under the event's names: see `src/events/table.ts`. */
export interface LogRecord
  extends Omit<RequestFields, "ray" | "colo" | "method" | "caller" | "caller_kind" | "key"> {
  /** Its method, and what the platform says of it: the ray and the data centre. */
  request: Pick<Request, "method" | "headers" | "cf">;
  caller: LoggedCaller | null;
}

/** Emits the `request` event. What a request has nothing of is undefined and left out, because the log is paid for by the byte. */
export function logRequest(events: Events, { request, caller, ...rest }: LogRecord): void {
  events.emit("request", {
    ...rest,
    // Both are read only where somebody receives the event. The runtime parses the whole of `cf` for the colo, which was a
    // twelfth of a hit's CPU in a profile.
    get ray() {
      return rayOf(request.headers);
    },
    get colo() {
      return coloOf(request);
    },
    // A client may send any token as method (RFC 9110 §9.1). The log contains only known ones.
    method: METHODS.find((method) => method === request.method) ?? "other",
    caller: caller?.hash ?? null,
    caller_kind: caller?.kind,
    key: caller?.key ?? undefined,
  });
}

/** The data centre's airport code (IATA). */
function coloOf({ cf }: Pick<Request, "cf">): string | undefined {
  const colo = cf?.colo;
  return typeof colo === "string" && /^[A-Z]{3}$/.test(colo) ? colo : undefined;
}
