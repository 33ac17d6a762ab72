import { fill, parametersIn } from "../config/path-parameters.ts";
import type { Route } from "../config/route.ts";
import { withoutEnds } from "../http/path.ts";
import { prefixSpellings } from "../http/url-spelling.ts";
import type { OriginReply } from "../request/origin-reply.ts";
import type { CacheRequest } from "./context.ts";
import type { EntryAddress } from "./entry-store.ts";
import type { CacheHandler } from "./outcome.ts";
import type { Purge, PurgeTarget } from "./purge-times.ts";
import { invalidatedUrls } from "./rules/invalidation.ts";
import type { Withdrawals } from "./withdrawals.ts";

export interface WriteParts {
  withdrawals: Pick<Withdrawals, "invalidate" | "purgeByRequest">;
  /**
   * The addresses of everybody's entries of a URL; none where no route stores it.
   *
   * @param forgiving With those of the URLs that an origin which forgives spellings may take it for.
   */
  addressesOf(url: URL, forgiving: boolean): Promise<EntryAddress[]>;
}

/**
 * The handler of a request with an unsafe method. What succeeds makes the stored entries of its URL invalid (RFC 9111 §4.4),
 * and those that the route names; so does what the origin was sent and did not answer in time, for it may have done it.
 */
export function writeHandler({ withdrawals, addressesOf }: WriteParts, request: CacheRequest): CacheHandler {
  return {
    async respond(origin) {
      const reply = await origin.fetch(request.request.headers);
      const response = answerTo(reply);
      const { request: asked, url } = request;
      const urls = response ? invalidatedUrls({ method: asked.method, url }, response) : [];
      if (urls.length > 0) {
        const { forgiving } = request.route;
        const addresses = (await Promise.all(urls.map((each) => addressesOf(each, forgiving)))).flat();
        withdrawals.invalidate(
          addresses.map((address) => ({ address, soft: false })),
          request,
        );
        withdrawals.purgeByRequest(namedBy(request), request);
      }
      return { reply, cache: null };
    },
  };
}

/** The answer to go by; null where the origin has certainly done nothing. */
function answerTo(reply: OriginReply): { status: number; headers: Headers } | null {
  if (reply.kind === "response") return reply.response;
  if (reply.answered) return reply.answered;
  return reply.code === "ORIGIN_TIMEOUT" ? { status: 204, headers: new Headers() } : null;
}

/** What the route's `invalidates` names for this request. */
function namedBy({ route, url, path }: Pick<CacheRequest, "route" | "url" | "path">): Purge[] {
  const { invalidates } = route;
  if (!invalidates) return [];
  // An origin may write an id into its tags decoded, or as the path has it.
  const readings = [path, url.pathname].flatMap((reading) => readingsOf(reading, route));
  const tags = distinct(readings).flatMap((reading) => tagPurges(invalidates.tags, route, reading));
  // Of the path as it is written: so are the addresses of entries.
  const paths = readingsOf(url.pathname, route).flatMap((each) =>
    pathPurges(invalidates.prefixes, route, each),
  );
  return [...tags, ...paths];
}

/** An id in a path, too, is read by some origins without what ends its segment (`/items/7;v=1`). */
function readingsOf(path: string, { forgiving }: Pick<Route, "forgiving">): string[] {
  return forgiving ? distinct([path, withoutEnds(path)]) : [path];
}

const distinct = (texts: readonly string[]) => [...new Set(texts)];

function tagPurges(tags: readonly string[], route: Route, path: string): Purge[] {
  const parameters = parametersIn(route.path, path);
  return tags.flatMap((template) => {
    const { text, family } = fill(template, parameters);
    const wider: PurgeTarget | null = family === null ? null : { kind: "tags", value: family };
    if (text === family) return [purgeOf(null, wider)];
    return storedTags(text).map((value) => purgeOf(value === "" ? null : { kind: "tag", value }, wider));
  });
}

/** The tags by which a stored answer has a text that an origin has put into its fields: a comma ends a tag, in `Surrogate-Key` a space too. */
function storedTags(text: string): string[] {
  const tag = text.trim().toLowerCase();
  const firstUpTo = (separator: string) => tag.split(separator, 1)[0]?.trim() ?? "";
  return [...new Set([tag, firstUpTo(","), firstUpTo(" ")])];
}

function pathPurges(prefixes: readonly string[], route: Route, pathname: string): Purge[] {
  const parameters = parametersIn(route.path, pathname);
  return prefixes.flatMap((template) => {
    const { text, family } = fill(template, parameters);
    const wider: PurgeTarget | null =
      family === null ? null : { kind: "path", value: family.slice(0, family.lastIndexOf("/")) };
    if (text === family) return [purgeOf(null, wider)];
    return prefixSpellings(text).map((each) =>
      purgeOf({ kind: "path", value: WITHOUT_SLASHES.exec(each)?.[0] ?? "" }, wider),
    );
  });
}

/** Up to the last sign that is no slash: `\/+$` would try again from each slash of a raw path. */
const WITHOUT_SLASHES = /^.*[^/]/s;

/** Characters. The whole log is read by batches that checks wait for: who writes must not decide how long it is. */
const MAX_VALUE_LENGTH = 256;

/** @param narrow Null where a parameter stands for nothing: then the wider target is purged. */
function purgeOf(narrow: PurgeTarget | null, wider: PurgeTarget | null): Purge {
  if (!narrow || (wider && narrow.value.length > MAX_VALUE_LENGTH)) {
    return { target: wider ?? { kind: "everything", value: "" }, soft: false };
  }
  return { target: narrow, soft: false, ...(wider && { wider }) };
}
