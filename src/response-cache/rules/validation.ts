import { isCoded } from "../../http/content.ts";
import { parseHttpDate } from "../../http/http-date.ts";
import { entityTag, isWeak, stronglyEqual, weaklyEqual } from "./entity-tag.ts";
import { fieldsOf, type StoredResponse } from "./stored.ts";
import { isNegotiated, mostRecent } from "./vary.ts";

/** The client's own conditions and range. They are not sent to the origin: its answer is to be a whole one. */
const CLIENT_CONDITIONS = ["if-none-match", "if-modified-since", "if-range", "range"];

/**
 * The stored responses whose validators a request may carry (RFC 9111 §4.3.1): the selected one, and every other variant
 * of the URL that the origin can tell apart by a strong entity tag, for a 304 can name one of those as the answer too.
 * Never a variant that was stored for credentials or in a content coding, which this client may not decode, and none where the
 * URL varies by more than what is negotiated: an origin may give two readers, and two codings, the same tag.
 */
export function validationCandidates<Stored extends StoredResponse>(
  variants: readonly Stored[],
  selected: Stored | null,
): Stored[] {
  const mayName = variants.every(({ vary }) => isNegotiated(vary));
  const others = variants.filter((each) => {
    const tag = tagOf(each);
    const isForAll = !each.credentials && !isCoded(fieldsOf(each));
    return mayName && each !== selected && isForAll && tag !== null && !isWeak(tag);
  });
  if (selected === null) return others;
  // A date identifies one response only, and an origin that is sent tags ignores it (RFC 9110 §13.1.3).
  if (tagOf(selected) === null && modifiedOf(selected) !== null) return [selected];
  return isValidatable(selected) ? [selected, ...others] : others;
}

/**
 * The request's fields with the client's own conditions and range taken out and the validators of the candidates put in
 * (RFC 9111 §4.3.1). Without candidates it is an unconditional request for the whole.
 *
 * @returns the request's own fields, where there is nothing to take out and nothing to put in: they are not to be changed.
 */
export function originRequestHeaders(
  requestHeaders: Headers,
  candidates: readonly StoredResponse[],
): Headers {
  // To copy fields costs more than to look at them.
  if (candidates.length === 0 && !CLIENT_CONDITIONS.some((name) => requestHeaders.has(name)))
    return requestHeaders;
  const headers = new Headers(requestHeaders);
  for (const name of CLIENT_CONDITIONS) headers.delete(name);
  const tags = [...new Set(candidates.map(tagOf).filter((tag) => tag !== null))];
  if (tags.length > 0) headers.set("if-none-match", tags.join(", "));
  // Only the first can be the selected one.
  const modified = candidates[0] ? modifiedOf(candidates[0]) : null;
  if (modified !== null) headers.set("if-modified-since", modified);
  return headers;
}

/** Whether it has anything to be validated by. */
export function isValidatable(stored: StoredResponse): boolean {
  return tagOf(stored) !== null || modifiedOf(stored) !== null;
}

/**
 * Which of the stored responses a 304 confirms (RFC 9111 §4.3.4), or null: then it confirms none, and the request is to
 * be made again without conditions.
 *
 * A strong tag may mean the weak form of the same, where that alone was sent: nginx makes the tag of what it compresses weak, and not
 * that of its 304. By the RFC each validation would cost two requests there.
 *
 * @param candidates those whose validators were sent: {@link validationCandidates}.
 */
export function confirmedBy<Stored extends StoredResponse>(
  notModified: Headers,
  candidates: readonly Stored[],
): Stored | null {
  const tag = entityTag(notModified.get("etag"));
  if (tag !== null) {
    const equal = isWeak(tag) || candidates.length === 1 ? weaklyEqual : stronglyEqual;
    return mostRecent(candidates.filter((each) => equal(tag, tagOf(each) ?? "")));
  }
  const modified = notModified.get("last-modified");
  if (modified !== null) {
    return mostRecent(candidates.filter((each) => fieldsOf(each).get("last-modified") === modified));
  }
  // Without a validator it can only mean the one that was sent. The RFC says so of a stored response that has no validator
  // either; origins also leave `Last-Modified` out of the 304 to a condition by date.
  return candidates.length === 1 ? (candidates[0] ?? null) : null;
}

/**
 * What the 200 to a HEAD means for a stored answer to GET (RFC 9111 §4.3.5): it is `stale` where a validator or the length
 * disagrees, or where what is stored is no 200: the page has come into being. `update` only where a validator agrees: without
 * one, whoever sends a HEAD now and then could keep old content fresh for ever.
 *
 * @param storedLength bytes of the stored content. A `Content-Length` beside another content coding counts other bytes.
 */
export function checkedByHead(
  head: Headers,
  stored: StoredResponse,
  storedLength: number,
): "update" | "stale" | "nothing" {
  const fields = fieldsOf(stored);
  const validators = ["etag", "last-modified"].filter((name) => head.has(name));
  const agree = validators.every((name) => head.get(name) === fields.get(name));
  const length = head.get("content-length");
  const sameCoding = head.get("content-encoding") === fields.get("content-encoding");
  const sameLength = length === null || !sameCoding || Number(length) === storedLength;
  if (stored.status !== 200 || !agree || !sameLength) return "stale";
  return validators.length > 0 ? "update" : "nothing";
}

function tagOf(stored: StoredResponse): string | null {
  return entityTag(fieldsOf(stored).get("etag"));
}

function modifiedOf(stored: StoredResponse): string | null {
  const modified = fieldsOf(stored).get("last-modified");
  return parseHttpDate(modified, stored.responseTime) === null ? null : modified;
}
