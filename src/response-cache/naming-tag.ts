import { isCoded } from "../http/content.ts";
import type { Entry } from "./entry.ts";
import { entityTag, isWeak } from "./rules/entity-tag.ts";
import { fieldsOf } from "./rules/stored.ts";
import { isNegotiated } from "./rules/vary.ts";

/** Characters. A search does not tell of a longer tag. */
const MAX_TAG_LENGTH = 128;

/**
 * The entity tag by which the origin may name the entry as the answer to a request for another variant (RFC 9111 §4.3.1):
 * a strong one, and not of an answer to somebody's credentials, one that varies by more than what is negotiated, or one in a
 * coding that the other client may not be able to decode: there are origins whose tags are the same in all codings. Null where there is none.
 */
export function namingTag({ meta }: Pick<Entry, "meta">): string | null {
  if (!isNegotiated(meta.vary)) return null;
  const fields = fieldsOf(meta);
  const tag = isCoded(fields) ? null : entityTag(fields.get("etag"));
  return tag === null || isWeak(tag) || meta.credentials || tag.length > MAX_TAG_LENGTH ? null : tag;
}
