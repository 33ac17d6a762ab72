import { SESSION_TOKEN_FIELD } from "./edge-fields.ts";
import { laxName } from "./field-name.ts";

/** The query parameter that carries an API key. */
export const API_KEY_PARAMETER = "api_key";
/** The field that carries an API key. */
export const API_KEY_FIELD = "X-API-Key";

/**
 * What a request field says of its sender.
 *
 * - `read`: a credential that the edge reads itself.
 * - `unread`: a credential that only an origin can read. It decides who may share an answer all the same.
 * - `secret`: it names nobody, but its value must not stand in a key, in Redis or in a log.
 */
type FieldKind = "read" | "unread" | "secret";

/** By exact name, as {@link laxName} writes it. */
const FIELDS: ReadonlyMap<string, FieldKind> = new Map([
  ["authorization", "read"],
  ["cookie", "read"],
  [laxName(API_KEY_FIELD), "read"],
  ["apikey", "unread"],
  ["x-auth-token", "unread"],
  [laxName(SESSION_TOKEN_FIELD), "unread"],
  ["proxy-authorization", "secret"],
  ["x-csrf-token", "secret"],
]);

/** The one place that decides by the name of a field. */
function kindOf(name: string): FieldKind | undefined {
  return FIELDS.get(laxName(name));
}

/** Whether a request field says who sends the request, to the edge or to an origin. */
export function isCredentialField(name: string): boolean {
  const kind = kindOf(name);
  return kind === "read" || kind === "unread";
}

/**
 * Whether a request carries a credential that the edge does not read. A field the edge reads counts when it is spelled in
 * another way (`X_API_Key`): an origin may read that spelling, and the edge does not.
 */
export function hasUnreadCredential(headers: Headers): boolean {
  for (const name of headers.keys()) {
    const kind = kindOf(name);
    if (kind === "unread" || (kind === "read" && !FIELDS.has(name))) return true;
  }
  return false;
}

/** Whether a request field's value must be hashed before it is kept or sent anywhere. */
export function isSecretField(name: string): boolean {
  return kindOf(name) !== undefined;
}

/** Whether a query parameter is a credential: it is part of no key. */
export function isCredentialParameter(name: string): boolean {
  return name === API_KEY_PARAMETER;
}
