import { bearerToken } from "../http/bearer.ts";
import { withoutBlanks } from "../http/blanks.ts";
import {
  API_KEY_FIELD,
  API_KEY_PARAMETER,
  type CredentialNames,
  DEFAULT_CREDENTIALS,
} from "../http/credential-fields.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import { carriesCredential } from "../identity/credentials.ts";
import { cookiesForOrigin } from "../identity/session-cookie.ts";
import type { Requester } from "./rules/scope-table.ts";

/** What a request carries, as far as it may say who asks. */
export interface RequesterFacts {
  headers: Headers;
  url: URL;
  names?: CredentialNames | undefined;
  /** Names and patterns of cookies that say nothing. Default none. */
  ignoreCookies?: readonly string[] | undefined;
}

/** Why a requester is not `verified`: for `Cache-Status`. */
export type Doubt =
  | "no-credential"
  /** A token that is not valid, or whose session is over: it says nothing of who asks; the origin may read it all the same. */
  | "session-not-valid"
  | "jwt-not-valid"
  | "jwt-not-checked"
  | "key-not-verified"
  | "several-credentials"
  /** A cookie of the origin's. */
  | "other-cookie"
  /** One that the edge does not read. */
  | "other-credential";

/**
 * Who asked, as the scope's table wants to know it. `verified` only where all that the request carries to say who it is
 * is checked and is the identity its entries are stored under: any other credential could change the answer unseen.
 */
export function requesterOf(identity: ConfirmedIdentity, facts: RequesterFacts): Requester {
  const doubt = doubtOf(identity, facts);
  if (doubt === null) return "verified";
  return doubt === "no-credential" ? "anonymous" : "credentialed";
}

/** What keeps a requester from being `verified`; null where nothing does. */
export function doubtOf(identity: ConfirmedIdentity, facts: RequesterFacts): Doubt | null {
  const { headers, url, names = DEFAULT_CREDENTIALS, ignoreCookies = [] } = facts;
  const { credentials, session, key, jwt } = identity;
  const cookie = headers.get("cookie");
  const telling = cookie === null ? [] : cookiesForOrigin(cookie, ignoreCookies, true);
  // Ignored cookies are as if they were not there; an empty field is there.
  const silent =
    cookie !== null && telling.length === 0 && ignoreCookies.length > 0 && withoutBlanks(cookie) !== "";
  if (!credentials.any || (silent && !carriesCredential(withoutCookies(headers), url, names))) {
    return "no-credential";
  }
  const authorization = headers.get("authorization");
  const basic = authorization !== null && bearerToken(authorization) === null;
  const unread = basic || credentials.unread || hasEmptyKey(headers, url) || names.hasUnread(headers, url);
  if (unread) return "other-credential";
  if (credentials.sessionToken !== null && session === null) return "session-not-valid";
  if (jwt.kind === "invalid") return "jwt-not-valid";
  if (jwt.kind === "unknown") return "jwt-not-checked";
  if (key.kind === "unverified") return "key-not-verified";
  const sessionCookie = session !== null && credentials.sessionToken?.tokenSource === "cookie";
  const ownCookie = sessionCookie || (jwt.kind === "verified" && credentials.jwtCookie) ? 1 : 0;
  if (telling.length !== ownCookie) return "other-cookie";
  const checked = [session !== null, jwt.kind === "verified", key.kind === "verified"].filter(Boolean).length;
  if (checked === 1) return null;
  return checked === 0 ? "other-credential" : "several-credentials";
}

/** An empty key is none to the edge, and it reaches the origin. */
function hasEmptyKey(headers: Headers, url: URL): boolean {
  const field = headers.get(API_KEY_FIELD);
  if (field !== null && withoutBlanks(field) === "") return true;
  return url.search !== "" && url.searchParams.getAll(API_KEY_PARAMETER).includes("");
}

function withoutCookies(headers: Headers): Headers {
  const others = new Headers(headers);
  others.delete("cookie");
  return others;
}
