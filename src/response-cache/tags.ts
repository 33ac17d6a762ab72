const MAX_TAGS = 64;
const MAX_TAG_LENGTH = 1024;

/**
 * The purge tags of a response: `Cache-Tag`, its alias `Surrogate-Key` (which separates by spaces), and the route's own.
 * Lower case, each once.
 */
export function tagsOf(headers: Headers, own: readonly string[]): string[] {
  const said = `${headers.get("cache-tag") ?? ""},${(headers.get("surrogate-key") ?? "").replaceAll(" ", ",")}`;
  const tags = [...own, ...said.split(",")].map((tag) => tag.trim().toLowerCase());
  return [...new Set(tags.filter((tag) => tag !== "" && tag.length <= MAX_TAG_LENGTH))].slice(0, MAX_TAGS);
}
