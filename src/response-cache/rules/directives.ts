import { CACHE_FIELDS } from "../../http/cache-fields.ts";
import { type Directives, deltaSeconds, parseCacheControl } from "./cache-control.ts";
import { fieldName, listMembers } from "./message.ts";
import type { Fields } from "./stored.ts";
import { parseTargeted } from "./targeted.ts";

/** Seconds; `"invalid"` where the directive is there and its argument is no delta-seconds; undefined where it is not. */
export type Seconds = number | "invalid" | undefined;

/** `private` and `no-cache`: absent, for the whole response, or only for the fields it lists (lower case). */
export type Qualified = false | true | readonly string[];

export interface ResponseDirectives {
  /** Which field they were read from. With `cdn-cache-control`, `Expires` does not count either (RFC 9213 §2.2). */
  source: "cdn-cache-control" | "cache-control" | "none";
  noStore: boolean;
  mustUnderstand: boolean;
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  private: Qualified;
  noCache: Qualified;
  maxAge: Seconds;
  sMaxAge: Seconds;
  /** RFC 5861 §3. */
  staleWhileRevalidate: Seconds;
  /** RFC 5861 §4. */
  staleIfError: Seconds;
}

export interface RequestDirectives {
  noCache: boolean;
  noStore: boolean;
  onlyIfCached: boolean;
  /** Seconds, or undefined. One that cannot be read asks for 0: the client wanted something fresh. */
  maxAge: number | undefined;
  minFresh: number | undefined;
  /** Seconds; Infinity where any staleness will do; undefined where none, or where it cannot be read. */
  maxStale: number | undefined;
  /** RFC 5861 §4, in a request. */
  staleIfError: number | undefined;
}

/**
 * What the response says about being cached: `CDN-Cache-Control` where it is valid (RFC 9213 §2.2: it then wins
 * entirely), else `Cache-Control`. Where there is neither, `Pragma: no-cache` counts: RFC 9111 §5.4 gives it no meaning in a response,
 * but those who send it alone mean that, and only the route's own lifetime would say otherwise.
 */
export function responseDirectives(headers: Fields): ResponseDirectives {
  const cdn = headers.get("cdn-cache-control");
  const field = headers.get("cache-control");
  const pragma = field === null ? headers.get("pragma") : null;
  const name = `${cdn === null ? "" : "cdn"}:${cdn}\n${field === null ? "" : "own"}:${field ?? pragma}`;
  const known = read.get(name);
  if (known) return known;
  const directives = readDirectives(cdn, field, pragma);
  if (read.size >= MAX_READ) read.clear();
  if (name.length <= MAX_READ_LENGTH) read.set(name, directives);
  return directives;
}

/** Origins say few different things, each of them with every answer, and each is asked for several times. */
const read = new Map<string, ResponseDirectives>();
const MAX_READ = 500;
const MAX_READ_LENGTH = 500;

function readDirectives(cdn: string | null, field: string | null, pragma: string | null): ResponseDirectives {
  const targeted = parseTargeted(cdn);
  const directives = targeted ?? parseCacheControl(field);
  return {
    source: targeted ? "cdn-cache-control" : field === null ? "none" : "cache-control",
    noStore: directives.has("no-store"),
    mustUnderstand: directives.has("must-understand"),
    public: directives.has("public"),
    mustRevalidate: directives.has("must-revalidate"),
    proxyRevalidate: directives.has("proxy-revalidate"),
    private: qualified(directives, "private"),
    noCache: qualified(directives, "no-cache") || (!targeted && parseCacheControl(pragma).has("no-cache")),
    maxAge: seconds(directives, "max-age"),
    sMaxAge: seconds(directives, "s-maxage"),
    staleWhileRevalidate: seconds(directives, "stale-while-revalidate"),
    staleIfError: seconds(directives, "stale-if-error"),
  };
}

/** What the client asks of a cache (RFC 9111 §5.2.1); `Pragma` only where there is no `Cache-Control` (§5.4). */
export function requestDirectives(headers: Pick<Headers, "get">): RequestDirectives {
  const field = headers.get("cache-control");
  const pragma = field === null ? headers.get("pragma") : null;
  if (field === null && pragma === null) return NOTHING_ASKED;
  const directives = parseCacheControl(field ?? pragma);
  if (field === null) return { ...NOTHING_ASKED, noCache: directives.has("no-cache") };
  const maxAge = seconds(directives, "max-age");
  const maxStale = directives.get("max-stale")?.[0];
  return {
    noCache: directives.has("no-cache"),
    noStore: directives.has("no-store"),
    onlyIfCached: directives.has("only-if-cached"),
    maxAge: maxAge === "invalid" ? 0 : maxAge,
    minFresh: known(seconds(directives, "min-fresh")),
    // §5.2.1.2: without an argument, a response of any age.
    maxStale: maxStale?.text === null ? Number.POSITIVE_INFINITY : known(seconds(directives, "max-stale")),
    staleIfError: known(seconds(directives, "stale-if-error")),
  };
}

/** Whether a client says how new an answer is to be. */
export function asksForNewer(headers: Pick<Headers, "get">): boolean {
  const { noCache, maxAge, minFresh } = requestDirectives(headers);
  return noCache || maxAge !== undefined || minFresh !== undefined;
}

const NOTHING_ASKED: RequestDirectives = {
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAge: undefined,
  minFresh: undefined,
  maxStale: undefined,
  staleIfError: undefined,
};

/**
 * The first occurrence counts (RFC 9111 §4.2.1: "either the first occurrence should be used or the response should be
 * considered stale"); both the token and the quoted form are read (§5.2).
 */
function seconds(directives: Directives, name: string): Seconds {
  const first = directives.get(name)?.[0];
  if (!first) return undefined;
  return (first.wellFormed ? deltaSeconds(first.text) : null) ?? "invalid";
}

function known(value: Seconds): number | undefined {
  return value === "invalid" ? undefined : value;
}

/**
 * Anything but a clean quoted list of fields that the rules can do without is taken for the unqualified form, which
 * allows less (§5.2.2.4, §5.2.2.7 leave a cache that choice). Of several occurrences the unqualified wins; lists add up.
 */
function qualified(directives: Directives, name: string): Qualified {
  const occurrences = directives.get(name);
  if (!occurrences) return false;
  const fields: string[] = [];
  for (const { text, quoted, wellFormed } of occurrences) {
    const names = quoted && wellFormed ? listMembers(text).map(fieldName) : [];
    if (names.length === 0) return true;
    for (const each of names) {
      if (each === null || CACHE_FIELDS.has(each)) return true;
      fields.push(each);
    }
  }
  return fields;
}
