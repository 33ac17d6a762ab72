const MOST_TAGS = 64;
const LONGEST_TAG = 1024;

/**
 * The purge tags of a response: `Cache-Tag`, its alias `Surrogate-Key` (which separates by spaces), and the route's own.
 * Lower case, each once.
 */
export function tagsOf(headers: Headers, own: readonly string[]): string[] {
  const said = `${headers.get("cache-tag") ?? ""},${(headers.get("surrogate-key") ?? "").replaceAll(" ", ",")}`;
  const tags = [...own, ...said.split(",")].map((tag) => tag.trim().toLowerCase());
  return [...new Set(tags.filter((tag) => tag !== "" && tag.length <= LONGEST_TAG))].slice(0, MOST_TAGS);
}
