import { bearerToken } from "../http/bearer.ts";
import { cookiePairs } from "../http/cookies.ts";
import { hasUnreadCredential } from "../http/credential-fields.ts";
import type { Caller } from "../identity/caller.ts";
import type { Requester } from "./rules/scope-table.ts";

/**
 * Who asked, as the scope's table wants to know it. `verified` only where all that the request carries to say who it is
 * is checked and is the identity its entries are kept under: anything beside it could change the answer unseen.
 */
export function requesterOf(caller: Caller, headers: Headers): Requester {
  if (!caller.credentials.any) return "anonymous";
  const checked = [
    caller.session.kind === "signed",
    caller.jwt.kind === "verified",
    caller.key.kind === "verified",
  ].filter(Boolean).length;
  const doubtful =
    caller.session.kind === "invalid" ||
    caller.jwt.kind === "invalid" ||
    caller.jwt.kind === "unknown" ||
    caller.key.kind === "unverified";
  // A cookie of the origin's, or an Authorization that is no bearer, is a credential the edge cannot read.
  const cookies = cookiePairs(headers.get("cookie")).length;
  const ownCookie = caller.session.kind === "signed" && caller.session.tokenSource === "cookie" ? 1 : 0;
  const authorization = headers.get("authorization");
  const basic = authorization !== null && bearerToken(authorization) === null;
  return checked === 1 && !hasUnreadCredential(headers) && !doubtful && cookies === ownCookie && !basic
    ? "verified"
    : "credentialed";
}
