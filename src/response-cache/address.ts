import { purgedAs } from "../http/url-spelling.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { Audience } from "./audience.ts";
import type { EntryAddress } from "./entry-store.ts";
import { cacheUrl } from "./key.ts";

/** Where everybody's entries of a URL are that came by a scheme. @param scheme `https:` or `http:`. */
export function sharedKeyOf(urlHash: string, scheme: string): string {
  return scheme === "https:" ? urlHash : `${urlHash}:${scheme.slice(0, -1)}`;
}

/**
 * What the entries of a URL are found by. The scheme is part of the keys, since the origin is told it and may answer
 * differently; purges and writes do without: what is written to by one is written to by the other.
 *
 * @param url As the origin is asked for it.
 * @param audience The caller whose own entries they are; null for everybody's.
 * @param cacheKey What the key has beside the URL, a hash. A withdrawal of the URL reaches each of its keys.
 */
export async function addressOf(
  hash: Identifier["hash"],
  url: URL,
  audience: Audience | null,
  cacheKey?: string,
): Promise<EntryAddress> {
  const text = cacheUrl(url);
  const urlHash = await hash("url", text);
  const spelt = purgedAs(text);
  const found = { url: text, urlHash, ...(spelt !== text && { spelledHash: await hash("url", spelt) }) };
  const sharedKey = sharedKeyOf(urlHash, url.protocol);
  if (audience === null && cacheKey === undefined) return { ...found, key: sharedKey, sharedKey };
  const own = [audience?.key, cacheKey && `key ${cacheKey}`, sharedKey];
  const key = await hash("response", own.filter((part) => part !== undefined).join(" "));
  return { ...found, key, sharedKey, ...(audience && { user: audience.user }) };
}
