import type { Identifier } from "../identity/caller-hash.ts";
import type { EntryAddress } from "./entry-store.ts";
import { cacheUrl } from "./key.ts";

/**
 * What the entries of a URL are found by. The scheme is part of the keys, since the origin is told it and may answer
 * differently; purges do without, as those who write them do.
 *
 * @param url As the origin is asked for it.
 * @param audience The hash of the caller whose own entries they are; null for everybody's.
 */
export async function addressOf(
  hash: Identifier["hash"],
  url: URL,
  audience: string | null,
): Promise<EntryAddress> {
  const text = cacheUrl(url);
  const urlHash = await hash("url", text);
  const sharedKey = url.protocol === "https:" ? urlHash : `${urlHash}:${url.protocol.slice(0, -1)}`;
  const key = audience === null ? sharedKey : await hash("response", `${audience} ${sharedKey}`);
  return { url: text, urlHash, key, sharedKey };
}
