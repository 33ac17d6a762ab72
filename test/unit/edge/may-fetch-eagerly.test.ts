import { describe, expect, it } from "vitest";
import { type EagerFacts, mayFetchEagerly } from "../../../src/edge/may-fetch-eagerly.ts";

const route = { originFetch: "eager", access: "public", onStoreFailure: "local" } as const;
const facts: EagerFacts = {
  route,
  mode: "enforce",
  method: "GET",
  headers: new Headers(),
  hasCredential: false,
  isRefused: false,
  waitsForStore: true,
};
const withFields = (fields: Record<string, string>) => ({ headers: new Headers(fields) });

describe("a request may be fetched eagerly", () => {
  it.each<[what: string, change: Partial<EagerFacts>]>([
    ["a GET", {}],
    ["a HEAD", { method: "HEAD" }],
    [
      "on a route that admits everybody while the store is lost",
      { route: { ...route, onStoreFailure: "open" } },
    ],
    ["with fields that are negotiated", withFields({ accept: "text/html", "accept-language": "de" })],
    ["that wants a validation", withFields({ "cache-control": "no-cache" })],
    ["with a field that only looks like a condition", withFields({ "x-if-match": "1", iffy: "1" })],
    ["with Accept-Ranges, which is no range", withFields({ "accept-ranges": "bytes" })],
  ])("%s", (_, change) => {
    expect(mayFetchEagerly({ ...facts, ...change })).toBe(true);
  });
});

describe("a request may not be fetched eagerly", () => {
  it.each<[what: string, change: Partial<EagerFacts>]>([
    ["on a route that does not say so", { route: { ...route, originFetch: null } }],
    ["on a route for whoever is known", { route: { ...route, access: ["key", "jwt"] } }],
    ["on a route for sessions", { route: { ...route, access: "session" } }],
    ["on a route that refuses while the store is lost", { route: { ...route, onStoreFailure: "closed" } }],
    ["under observe", { mode: "observe" }],
    ["under bypass", { mode: "bypass" }],
    ["a POST", { method: "POST" }],
    ["a DELETE", { method: "DELETE" }],
    ["an OPTIONS", { method: "OPTIONS" }],
    ["a method in lower case, which is another one", { method: "get" }],
    ["with a credential", { hasCredential: true }],
    ["of a caller whom the isolate refuses", { isRefused: true }],
    ["that waits for no store", { waitsForStore: false }],
    ["with If-None-Match", withFields({ "if-none-match": '"a"' })],
    ["with If-Modified-Since", withFields({ "if-modified-since": "Thu, 15 Jan 2026 12:00:00 GMT" })],
    ["with If-Match", withFields({ "if-match": "*" })],
    ["with If-Unmodified-Since", withFields({ "if-unmodified-since": "0" })],
    ["with If-Range", withFields({ "if-range": '"a"' })],
    ["with WebDAV's If", withFields({ if: "(<urn:a>)" })],
    ["with a condition that is empty", withFields({ "if-none-match": "" })],
    ["with a condition as a lenient origin reads its name", withFields({ If_None_Match: '"a"' })],
    ["with a Range", withFields({ range: "bytes=0-9" })],
    ["with a Range of another unit", withFields({ Range: "pages=1" })],
    ["with the old Request-Range", withFields({ "request-range": "bytes=0-9" })],
    ["that becomes a WebSocket", withFields({ upgrade: "websocket", connection: "upgrade" })],
  ])("%s", (_, change) => {
    expect(mayFetchEagerly({ ...facts, ...change })).toBe(false);
  });
});
