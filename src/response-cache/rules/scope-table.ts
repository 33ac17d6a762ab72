import type { CacheRule } from "../../config/route.ts";

/** Who may be given a stored answer: the route's `cache.scope`. */
export type Scope = CacheRule["scope"];

/**
 * Who asked.
 *
 * - `anonymous`: the request carries no credential of any kind.
 * - `credentialed`: it carries one, and not all it carries is both verified and part of the key of its entries.
 * - `verified`: everything it carries is. An API key with somebody's cookie beside it, of which only the key is in the
 *   entry's key, is `credentialed`: two people may share the first.
 */
export type Requester = "anonymous" | "credentialed" | "verified";

/**
 * What the response says that counts here, the most restrictive first: a response that says several things is taken at
 * the first of them. `set-cookie` is that, or any other field for the one who asked; `shareable` is what RFC 9111 §3.5 asks for: public,
 * s-maxage or must-revalidate.
 */
export type Claim = "no-store" | "set-cookie" | "private" | "shareable" | "silent";

/** Why a cell refuses. */
export type ScopeRefusal = "no-store" | "set-cookie" | "private" | "credentials" | "no-verified-caller";

type Cells = Readonly<Record<Claim, "store" | ScopeRefusal>>;

const NEVER = { "no-store": "no-store", "set-cookie": "set-cookie" } as const;

/** RFC 9111 §3 for a shared cache, where the request has no credentials. */
const OPEN: Cells = { ...NEVER, private: "private", shareable: "store", silent: "store" };
/** RFC 9111 §3.5, for every credential and not only `Authorization`. */
const NEEDS_PERMISSION: Cells = { ...NEVER, private: "private", shareable: "store", silent: "credentials" };
/** A caller's own entries are a private cache: it stores what is `private`. */
const OWN: Cells = { ...NEVER, private: "store", shareable: "store", silent: "store" };
const NO_CALLER: Cells = {
  "no-store": "no-verified-caller",
  "set-cookie": "no-verified-caller",
  private: "no-verified-caller",
  shareable: "no-verified-caller",
  silent: "no-verified-caller",
};

/** Scope × who asked × what the response says: the one place that decides who shares an answer. */
export const SCOPE_TABLE: Readonly<Record<Scope, Readonly<Record<Requester, Cells>>>> = {
  public: { anonymous: OPEN, credentialed: NEEDS_PERMISSION, verified: NEEDS_PERMISSION },
  shared: { anonymous: OPEN, credentialed: OPEN, verified: OPEN },
  caller: { anonymous: NO_CALLER, credentialed: NO_CALLER, verified: OWN },
};
