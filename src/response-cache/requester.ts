import { bearerToken } from "../http/bearer.ts";
import { cookiePairs } from "../http/cookies.ts";
import { type CredentialNames, DEFAULT_CREDENTIALS } from "../http/credential-fields.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";
import type { Requester } from "./rules/scope-table.ts";

/**
 * Who asked, as the scope's table wants to know it. `verified` only where all that the request carries to say who it is
 * is checked and is the identity its entries are stored under: any other credential could change the answer unseen.
 */
export function requesterOf(
  identity: ConfirmedIdentity,
  headers: Headers,
  url?: URL,
  names: CredentialNames = DEFAULT_CREDENTIALS,
): Requester {
  const { credentials, session, key, jwt } = identity;
  if (!credentials.any) return "anonymous";
  const checked = [session !== null, jwt.kind === "verified", key.kind === "verified"].filter(Boolean).length;
  // A token that is not valid, or whose session is over, says nothing of who asks; the origin may read it all the same.
  const deadToken = credentials.sessionToken !== null && session === null;
  const doubtful = deadToken || jwt.kind === "invalid" || jwt.kind === "unknown" || key.kind === "unverified";
  // A cookie of the origin's, or an Authorization that is no bearer, is a credential the edge cannot read.
  const cookies = cookiePairs(headers.get("cookie")).length;
  const ownCookie = session !== null && credentials.sessionToken?.tokenSource === "cookie" ? 1 : 0;
  const authorization = headers.get("authorization");
  const basic = authorization !== null && bearerToken(authorization) === null;
  return checked === 1 && !names.hasUnread(headers, url) && !doubtful && cookies === ownCookie && !basic
    ? "verified"
    : "credentialed";
}
