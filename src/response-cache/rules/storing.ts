import { isForSenderAlone } from "../../http/credential-fields.ts";
import { isNeverStored } from "../../http/hop-by-hop.ts";
import { initialAge } from "./age.ts";
import { type ResponseDirectives, requestDirectives, responseDirectives } from "./directives.ts";
import { eligibility } from "./eligibility.ts";
import { type Freshness, type FreshnessRule, freshnessOf } from "./freshness.ts";
import type { RequestFacts, ResponseFacts } from "./message.ts";
import { type Claim, type Requester, SCOPE_TABLE, type ScopeRefusal } from "./scope-table.ts";
import { isHeuristicallyCacheable, isStorable, isUnderstood } from "./status.ts";
import type { StoredResponse } from "./stored.ts";
import { storedFields } from "./stored-fields.ts";
import { isValidatable } from "./validation.ts";
import { selectingFields } from "./vary.ts";

/** A request, as the client sent it, and the final answer to it. Times in milliseconds since the epoch. */
export interface Exchange {
  request: RequestFacts;
  response: ResponseFacts;
  requestTime: number;
  responseTime: number;
  requester: Requester;
  rule: FreshnessRule;
}

export type StoreRefusal =
  | ScopeRefusal
  /** Only answers to GET are stored. */
  | "method"
  /** The request has content, or preconditions meant for the origin: its answer depends on what is in no key. */
  | "request"
  | "request-no-store"
  | "status"
  | "must-understand"
  | "vary"
  /** A field holds bytes that are no UTF-8: the runtime does not tell which, so that a hit could not be what the miss was. */
  | "bytes"
  /** Neither an explicit lifetime nor a status that may go without. */
  | "unstated"
  /** Stale on arrival, with nothing to validate it by and no window to serve it in. */
  | "no-use";

export type StoreVerdict =
  | { kind: "store"; stored: StoredResponse; freshness: Freshness }
  | { kind: "refuse"; reason: StoreRefusal };

/** May this response be stored, and as what? Answers from the header section alone (RFC 9111 §3). */
export function storing(exchange: Exchange): StoreVerdict {
  const { response, requestTime, responseTime, requester, rule } = exchange;
  const directives = responseDirectives(response.headers);
  const reason = refusal(exchange, directives);
  if (reason) return { kind: "refuse", reason };
  const vary = selectingFields(response.headers);
  if (vary === "*") return { kind: "refuse", reason: "vary" };
  const stored: StoredResponse = {
    status: response.status,
    headers: storedFields(response.headers, directives, rule.scope, responseTime),
    requestTime,
    responseTime,
    vary,
    credentials: requester !== "anonymous",
  };
  if (stored.headers.some(([, value]) => value.includes("\ufffd")))
    return { kind: "refuse", reason: "bytes" };
  const freshness = freshnessOf(stored, rule);
  return isOfUse(stored, freshness)
    ? { kind: "store", stored, freshness }
    : { kind: "refuse", reason: "no-use" };
}

/** What the response says that the scope's table asks about. */
export function claimOf(response: ResponseFacts, directives: ResponseDirectives): Claim {
  // §5.2.2.3: a cache that understands the status goes by `must-understand` and ignores the `no-store` beside it.
  const excused = directives.mustUnderstand && isUnderstood(response.status);
  if (directives.noStore && !excused) return "no-store";
  // RFC 9111 §7.3 leaves it to the cache; here a cookie goes to the one it was set for, unless the origin withholds it. So does a token.
  for (const name of response.headers.keys())
    if (isForSenderAlone(name) && !isNeverStored(name) && !withholds(directives, name)) return "set-cookie";
  if (directives.private === true) return "private";
  const shareable = directives.public || directives.mustRevalidate || typeof directives.sMaxAge === "number";
  return shareable ? "shareable" : "silent";
}

function withholds(directives: ResponseDirectives, field: string): boolean {
  return [directives.private, directives.noCache].some(
    (fields) => typeof fields === "object" && fields.includes(field),
  );
}

function refusal(
  { request, response, requester, rule }: Exchange,
  directives: ResponseDirectives,
): StoreRefusal | null {
  if (request.method !== "GET") return "method";
  if (eligibility(request) !== "eligible") return "request";
  if (requestDirectives(request.headers).noStore) return "request-no-store";
  if (!isStorable(response.status)) return "status";
  if (directives.mustUnderstand && !isUnderstood(response.status)) return "must-understand";
  const cell = SCOPE_TABLE[rule.scope][requester][claimOf(response, directives)];
  if (cell !== "store") return cell;
  if (isHeuristicallyCacheable(response.status)) return null;
  return isExplicit(response, directives, rule) ? null : "unstated";
}

/** The last requirement of §3: something in the response that says it may be stored. */
function isExplicit(
  { headers }: ResponseFacts,
  directives: ResponseDirectives,
  rule: FreshnessRule,
): boolean {
  return (
    directives.public ||
    (directives.private !== false && rule.scope === "caller") ||
    directives.maxAge !== undefined ||
    directives.sMaxAge !== undefined ||
    (directives.source !== "cdn-cache-control" && headers.has("expires"))
  );
}

function isOfUse(stored: StoredResponse, freshness: Freshness): boolean {
  if (isValidatable(stored)) return true;
  if (freshness.mustValidate) return false;
  return (
    freshness.lifetime > initialAge(stored) ||
    freshness.staleWhileRevalidate > 0 ||
    freshness.staleIfError > 0
  );
}
