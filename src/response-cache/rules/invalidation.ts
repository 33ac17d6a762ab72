import { isUnsafeMethod } from "../../http/methods.ts";
import type { RequestFacts, ResponseFacts } from "./message.ts";

/**
 * The URLs, absolute and without fragment, whose entries are no longer valid after this answer (RFC 9111 §4.4): none
 * unless the method is unsafe and the answer is no error (2xx or 3xx); then the target, and what `Location` and
 * `Content-Location` name of the same origin. The target comes first.
 */
export function invalidatedUrls(request: RequestFacts, response: ResponseFacts): string[] {
  if (!isUnsafeMethod(request.method) || response.status < 200 || response.status > 399) return [];
  const target = withoutFragment(new URL(request.url));
  const references = NAMING_FIELDS.map((field) => response.headers.get(field)?.trim() ?? "").filter(Boolean);
  if (references.length === 0) return [target.href];
  const named = references
    .filter((reference) => URL.canParse(reference, target.href))
    .map((reference) => new URL(reference, target))
    .filter((url) => url.origin === target.origin)
    .map(withoutFragment);
  return [...new Set([target, ...named].map((url) => url.href))];
}

/** Fields by which an answer names further URLs. */
const NAMING_FIELDS = ["location", "content-location"];

function withoutFragment(url: URL): URL {
  if (url.hash !== "") url.hash = "";
  return url;
}
