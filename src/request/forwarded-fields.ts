import type { CacheRule } from "../config/route.ts";
import { bearerBegins } from "../http/bearer.ts";
import { isReservedRequestField } from "../http/edge-fields.ts";
import { headersFrom } from "../http/headers-from.ts";
import { connectionOptions, isHopByHop } from "../http/hop-by-hop.ts";
import { isMisspeltCondition } from "../http/per-request-fields.ts";
import { SESSION_TOKEN_PREFIX } from "../http/session-token.ts";
import { cookiesForOrigin } from "../identity/session-cookie.ts";

/**
 * A request's fields as the origin is sent them, before the edge adds its own: without those of the connection, those that
 * `Connection` names, those that only the edge may send, the session's token and the cookies that the route ignores. The
 * origin request is made of them, and variants are told apart by them, so that the two cannot disagree (law 8).
 */
export class ForwardedFields {
  readonly #headers: Headers;
  readonly #ignoreCookies: readonly string[];
  readonly #isCached: boolean;
  readonly #withToken: boolean;
  /** The names in `Connection`, once they are wanted. */
  #named: ReadonlySet<string> | null = null;
  /** All that are sent, once they are wanted: the cache and the origin request both ask for them. */
  #all: readonly (readonly [name: string, value: string])[] | null = null;

  /**
   * @param rule The rule of the cached route that a GET or HEAD matches; null for any other request.
   * @param withToken The session's token goes on too. Default false.
   */
  constructor(headers: Headers, rule: Pick<CacheRule, "ignoreCookies"> | null, withToken = false) {
    this.#headers = headers;
    this.#ignoreCookies = rule?.ignoreCookies ?? [];
    this.#isCached = rule !== null;
    this.#withToken = withToken;
  }

  /** The value that the origin is sent, or null. @param name In lower case. */
  get(name: string): string | null {
    const value = this.#headers.get(name);
    return value === null ? null : this.#forwarded(name, value);
  }

  /** The names of the client's fields, in lower case: the origin is sent most of them. */
  names(): Iterable<string> {
    return this.#headers.keys();
  }

  /** All fields that the origin is sent, with names in lower case. */
  entries(): readonly (readonly [name: string, value: string])[] {
    if (this.#all) return this.#all;
    const all: [name: string, value: string][] = [];
    for (const [name, value] of this.#headers) {
      const forwarded = this.#forwarded(name, value);
      if (forwarded !== null) all.push([name, forwarded]);
    }
    this.#all = all;
    return all;
  }

  /**
   * The fields to send.
   *
   * @param exact Whether they are sent in the very form by which {@link get} tells them apart: each as one line, and bytes
   *   that are no UTF-8 as U+FFFD. Otherwise they stay as they came.
   */
  toHeaders(exact: boolean): Headers {
    if (exact) return headersFrom(this.entries());
    const headers = new Headers(this.#headers);
    for (const [name, value] of this.#headers) {
      const forwarded = this.#forwarded(name, value);
      if (forwarded === null) headers.delete(name);
      else if (forwarded !== value) headers.set(name, forwarded);
    }
    return headers;
  }

  #forwarded(name: string, value: string): string | null {
    if (this.#isDropped(name)) return null;
    if (name === "cookie") return this.#cookies(value);
    const isToken = name === "authorization" && bearerBegins(value, SESSION_TOKEN_PREFIX);
    return isToken && !this.#withToken ? null : value;
  }

  #isDropped(name: string): boolean {
    // The server in front has answered `Expect` already (RFC 9110 §10.1.1). The runtime would treat a 100 as the answer.
    if (isHopByHop(name) || name === "expect" || isReservedRequestField(name)) return true;
    // The cache has replaced those that HTTP knows: with another beside its own, a 304 would not be about what is stored.
    if (this.#isCached && isMisspeltCondition(name)) return true;
    this.#named ??= namedIn(this.#headers);
    return this.#named.has(name);
  }

  #cookies(header: string): string | null {
    if (this.#withToken && this.#ignoreCookies.length === 0) return header;
    const kept = cookiesForOrigin(header, this.#ignoreCookies, this.#withToken);
    return kept.length > 0 ? kept.join("; ") : null;
  }
}

const NOTHING: ReadonlySet<string> = new Set();

function namedIn(headers: Headers): ReadonlySet<string> {
  const named = connectionOptions(headers);
  return named.length > 0 ? new Set(named) : NOTHING;
}
