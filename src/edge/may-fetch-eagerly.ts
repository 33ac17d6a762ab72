import type { Config } from "../config/config.ts";
import type { Route } from "../config/route.ts";
import { laxName } from "../http/field-name.ts";

/** What decides, without asking anybody, whether a request may be fetched eagerly. */
export interface EagerFacts {
  route: Pick<Route, "originFetch" | "access" | "onStoreFailure">;
  mode: Config["mode"];
  method: string;
  headers: Headers;
  /** It carries a credential, be it one that the edge does not read. */
  hasCredential: boolean;
  /** The isolate refuses it: its caller is on the deny list, or blocked. */
  isRefused: boolean;
  /** The isolate asks the store for it, and the breaker is closed: half-open is not. */
  waitsForStore: boolean;
}

/**
 * Whether the origin may be asked for a request before the store has answered. Only for what has no effect and the same answer
 * whoever asks, and only where somebody has to wait for the store: for whom the isolate refuses nobody is asked.
 */
export function mayFetchEagerly(facts: EagerFacts): boolean {
  const { originFetch, access, onStoreFailure } = facts.route;
  return (
    originFetch === "eager" &&
    access === "public" &&
    onStoreFailure !== "closed" &&
    facts.mode === "enforce" &&
    (facts.method === "GET" || facts.method === "HEAD") &&
    !facts.hasCredential &&
    !facts.isRefused &&
    facts.waitsForStore &&
    !hasCondition(facts.headers)
  );
}

/** A condition, a range or an upgrade, as the most lenient origin reads the names: its answer is no whole one for everybody. */
function hasCondition(headers: Headers): boolean {
  return [...headers.keys()].some((name) => /^(if-|if$|range$|request-range$|upgrade$)/.test(laxName(name)));
}
