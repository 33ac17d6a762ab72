/** Characters of all tags of a response: as much as other caches take in one field. */
const MAX_TAGS_LENGTH = 16 * 1024;

/**
 * The purge tags of a response: `Cache-Tag`, its alias `Surrogate-Key` (which separates by spaces), and the route's own.
 * Lower case, each once.
 *
 * @returns null where they are too many to keep: a purge would not reach what is stored without some of them.
 */
export function tagsOf(headers: Headers, own: readonly string[]): string[] | null {
  const said = `${headers.get("cache-tag") ?? ""},${(headers.get("surrogate-key") ?? "").replaceAll(" ", ",")}`;
  const named = [...own, ...said.split(",")].map((tag) => tag.trim().toLowerCase());
  const tags = [...new Set(named.filter((tag) => tag !== ""))];
  return tags.join("").length > MAX_TAGS_LENGTH ? null : tags;
}

/** Adds a route's own tags to an answer that was stored before the route had them: a purge by one of them is to reach it. */
export function addTags(entry: { tags: string[] }, own: readonly string[]): void {
  for (const tag of own) {
    const name = tag.toLowerCase();
    if (!entry.tags.includes(name)) entry.tags.push(name);
  }
}
