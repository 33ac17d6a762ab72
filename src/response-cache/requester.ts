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
  const unread = headers.has("apikey") || headers.has("x-auth-token");
  const doubtful =
    caller.session.kind === "invalid" ||
    caller.jwt.kind === "invalid" ||
    caller.jwt.kind === "unknown" ||
    caller.key.kind === "unverified";
  // A cookie of the origin's, or an Authorization that is no bearer, is a credential the edge cannot read.
  const cookies = (headers.get("cookie") ?? "").split(";").filter((pair) => pair.trim() !== "").length;
  const ownCookie = caller.session.kind === "signed" && caller.session.tokenSource === "cookie" ? 1 : 0;
  const basic = headers.has("authorization") && !/^bearer +\S+\s*$/i.test(headers.get("authorization") ?? "");
  return checked === 1 && !unread && !doubtful && cookies === ownCookie && !basic
    ? "verified"
    : "credentialed";
}
