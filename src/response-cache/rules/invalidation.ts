import { isUnsafeMethod } from "../../http/methods.ts";
import type { ResponseFacts } from "./message.ts";

/** A request's method, and its target as the client knows it. */
export interface Target {
  readonly method: string;
  readonly url: URL;
}

/**
 * The URLs, absolute and without fragment, whose entries are no longer valid after this answer (RFC 9111 §4.4): none
 * unless the method is unsafe and the answer is no error (2xx or 3xx); then the target, and what `Location` and
 * `Content-Location` name of the same origin. The target comes first.
 */
export function invalidatedUrls({ method, url }: Target, response: ResponseFacts): URL[] {
  const { status } = response;
  if (!isUnsafeMethod(method) || status < 200 || status > 399) return [];
  const target = withoutFragment(url);
  const references = NAMING_FIELDS.map((field) => response.headers.get(field)?.trim() ?? "").filter(Boolean);
  if (references.length === 0) return [target];
  const named = references
    .filter((reference) => URL.canParse(reference, target.href))
    .map((reference) => new URL(reference, target))
    .filter(({ origin }) => origin === target.origin)
    .map(withoutFragment);
  return [...new Map([target, ...named].map((each) => [each.href, each])).values()];
}

/** Fields by which an answer names further URLs. */
const NAMING_FIELDS = ["location", "content-location"];

function withoutFragment(url: URL): URL {
  if (url.hash === "") return url;
  const whole = new URL(url);
  whole.hash = "";
  return whole;
}
