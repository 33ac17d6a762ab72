import type { ToldByApp } from "../edge/admission.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import { isList, issue, kindOf, textOf } from "./ask-app.ts";
import type { AppContext, EdgeOptions } from "./options.ts";

/** What the app's own key adds to the key of stored answers. */
export async function cacheKey(
  { cache }: EdgeOptions,
  c: AppContext,
  { hash }: Pick<Identifier, "hash">,
): Promise<Pick<ToldByApp, "cacheKey">> {
  if (cache?.key === undefined) return {};
  // Without it, callers that it was to tell apart would share an answer.
  if (typeof cache.key !== "function") throw issue("cache.key", kindOf(cache.key), "Write a function.");
  const isRead = c.req.method === "GET" || c.req.method === "HEAD";
  if (!isRead) return {};
  const found = await cache.key(c);
  const parts = (isList(found) ? found : [found]).map((part) => textOf(part, "cache.key", isBlank));
  if (parts.every((part) => part === null)) return {};
  return { cacheKey: await hash("cache key", JSON.stringify(parts)) };
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}
