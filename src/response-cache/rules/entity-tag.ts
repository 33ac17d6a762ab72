/** Entity tags (RFC 9110 §8.8.3), written as they stand in a field: `"abc"`, `W/"abc"`. */

const ONE = /^(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"$/;
const EACH = /(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"/g;

/** The tag, or null where the text is not one: it validates nothing. */
export function entityTag(value: string | null): string | null {
  const text = value?.trim() ?? "";
  return ONE.test(text) ? text : null;
}

/** The members of `If-None-Match`; `"*"` for any. Tags may hold commas; what is no tag is passed over. */
export function entityTags(value: string): string[] | "*" {
  return value.trim() === "*" ? "*" : (value.match(EACH) ?? []);
}

export function isWeak(tag: string): boolean {
  return tag.startsWith("W/");
}

/** RFC 9110 §8.8.3.2: the same opaque tag, weak or not. */
export function weaklyEqual(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

/** RFC 9110 §8.8.3.2: the same opaque tag, and neither is weak. */
export function stronglyEqual(one: string, other: string): boolean {
  return one === other && !isWeak(one);
}

function opaque(tag: string): string {
  return isWeak(tag) ? tag.slice(2) : tag;
}
