import type { Config } from "../config/config.ts";
import type { Events } from "../events/events.ts";
import { bearerToken } from "../http/bearer.ts";
import { API_KEY_FIELD, API_KEY_PARAMETER } from "../http/credential-fields.ts";
import { parseKeySignal } from "../identity/key-signal.ts";
import type { VerifiedKeys } from "../identity/verified-keys.ts";
import type { EdgeRequest } from "../request/capability.ts";

export interface NoteOptions {
  config: Pick<Config, "credentials">;
  events: Events;
  verifiedKeys: Pick<VerifiedKeys, "remember" | "forget">;
}

/** A request to the origin and what it was answered. */
export interface Exchange {
  /** When it was sent, ms since the epoch. */
  sentAt: number;
  /** As it was sent. */
  method: string;
  headers: Headers;
  url: Pick<URL, "searchParams">;
  status: number;
  /** `X-Edge-Caller`, where the answer has it. */
  signal: string | undefined;
}

/**
 * Applies what an answer says of the request's API key. `X-Edge-Caller` in a 2xx verifies it, where it was the request's
 * only credential: any other could have earned the answer. An answer to OPTIONS verifies nothing, because frameworks give it
 * before they look at a key. A 401, a 403 or `X-Edge-Caller: null` ends the verification.
 *
 * A key of `API_KEYS` is the configuration's alone.
 */
export function noteVerifiedKey(options: NoteOptions, request: EdgeRequest, exchange: Exchange): void {
  const { verifiedKeys, events } = options;
  const { claims, route, requestId, after } = request;
  const { key, credentials } = claims;
  if (key.kind === "absent" || (key.kind === "verified" && key.name !== null)) return;
  const concerned = route.verifiesKeys || key.kind === "verified";
  if (!concerned || credentials.apiKey === null || !carries(exchange, credentials.apiKey)) return;

  const { status, signal, method, sentAt } = exchange;
  const said = signal === undefined ? null : parseKeySignal(signal);
  if (signal !== undefined && !said)
    events.emit("key.signal_malformed", { request_id: requestId, route: route.name });
  if (status === 401 || status === 403 || said?.kind === "ended") {
    // Not awaited: the batch is sent once this has returned.
    after((batch) => void verifiedKeys.forget(key.hash, batch));
    return;
  }
  const successful = status >= 200 && status <= 299;
  if (!said || !successful || method === "OPTIONS" || !route.verifiesKeys) return;
  if (isSoleCredential(options, request))
    after((batch) => verifiedKeys.remember(key.hash, said, batch, sentAt));
}

/** Whether the client's request has no other credential than the key, be it one that the edge takes out. */
function isSoleCredential({ config }: NoteOptions, { claims, request, url }: EdgeRequest): boolean {
  const { session, jwt, credentials } = claims;
  const authorization = request.headers.get("authorization");
  return (
    session.kind === "absent" &&
    jwt.kind === "absent" &&
    !credentials.unread &&
    !request.headers.has("cookie") &&
    !config.credentials.hasUnread(request.headers, url) &&
    (authorization === null || bearerToken(authorization) === credentials.apiKey)
  );
}

/** Whether the request as it was sent has the key: a client may have had it taken out (`Connection: X-API-Key`). */
function carries({ headers, url }: Exchange, apiKey: string): boolean {
  return (
    headers.get(API_KEY_FIELD)?.trim() === apiKey ||
    bearerToken(headers.get("authorization")) === apiKey ||
    url.searchParams.getAll(API_KEY_PARAMETER).includes(apiKey)
  );
}
