import type { Context } from "hono";
import { stream } from "hono/streaming";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import { Problem } from "../../http/problem.ts";
import type { CacheOutcome, CacheWord } from "../../response-cache/outcome.ts";
import type { Platform } from "../../runtime/platform.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";
import { apiAddress, type Hosts, hostName } from "./api-host.ts";

/** A response of the edge, with the cache's outcome. */
export interface WarmAnswer {
  response: Response;
  cache: CacheOutcome | null;
}

export interface WarmRoutesOptions {
  /** Answers a request as the edge does, without limits. @throws Problem where the edge refuses the request. */
  answer(c: Context, request: Request): Promise<WarmAnswer>;
  hosts: Hosts;
  /** Whether the edge answers an address itself: such a path is none of the API's, and nothing of it is stored. */
  owned(method: string, url: URL): boolean;
  platform: Pick<Platform, "now" | "timer">;
}

const MAX_PATHS = 300;
/** Paths in flight: a Worker may wait for the headers of six fetches at once. */
const AT_ONCE = 6;

export const warmBody = z.strictObject({
  paths: z.array(z.string().check(z.maxLength(4096))).check(z.minLength(1), z.maxLength(MAX_PATHS)),
  host: z.optional(hostName),
});

/** The result of one path: a line of the response. */
interface Warmed {
  path: string;
  status: number;
  /** The cache's outcome; null where the route has no cache. */
  cache: CacheWord | null;
  /** Whether this request stored the answer. */
  stored: boolean;
  ms: number;
}

/**
 * `POST /edge/cache/warm {"paths":["/v1/emissions"]}` requests each path with an anonymous GET inside the Worker, six at a
 * time. The response has one line of JSON per path, in the order of completion, and one with the sums. `host` is what the paths stand
 * on, and what stored answers are found by; paths that lead to another, and those that the edge answers itself, are refused.
 */
export function warmRoutes({ answer, hosts, owned, platform }: WarmRoutesOptions) {
  return new Hono().post("/cache/warm", async (c) => {
    const { data } = await readJson(c.req.raw, { schema: warmBody, code: "BAD_WARM", platform });
    const base = apiAddress(new URL(c.req.url), data.host, hosts, "BAD_WARM");
    const urls = data.paths.map((path, index) => urlOn(base, path, index));
    urls.forEach((url, index) => {
      if (owned("GET", url))
        throw badPath(index, "must be a path of your API's: the edge answers this one itself");
    });
    c.header("content-type", "application/x-ndjson");
    c.header("cache-control", "no-store");
    return stream(c, async (out) => {
      const waiting = [...urls];
      const sums = { done: true, paths: urls.length, stored: 0, fresh: 0, failed: 0 };
      const worker = async () => {
        for (let url = waiting.shift(); url && !out.aborted; url = waiting.shift()) {
          const warmed = await warm(c, url);
          sums.stored += warmed.stored ? 1 : 0;
          sums.fresh += warmed.cache === "HIT" ? 1 : 0;
          sums.failed += warmed.status >= 400 ? 1 : 0;
          await out.write(`${JSON.stringify(warmed)}\n`);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      await out.write(`${JSON.stringify(sums)}\n`);
    });
  });

  async function warm(c: Context, url: URL): Promise<Warmed> {
    const path = `${url.pathname}${url.search}`;
    const since = platform.now();
    try {
      const { response, cache } = await answer(c, new Request(url.href));
      // The cache stores a body when it has been read to its end.
      await response.body?.pipeTo(new WritableStream());
      const stored = cache !== null && "fwd" in cache.status && cache.status.stored === true;
      return {
        path,
        status: response.status,
        cache: cache?.word ?? null,
        stored,
        ms: platform.now() - since,
      };
    } catch (error) {
      const status = error instanceof Problem ? error.facts.status : 502;
      return { path, status, cache: null, stored: false, ms: platform.now() - since };
    }
  }
}

/** Resolves a path on a host. @throws Problem 400 for a text that resolves to another host. */
function urlOn(base: URL, path: string, index: number): URL {
  const url = path.startsWith("/") && URL.canParse(path, base.href) ? new URL(path, base) : null;
  if (url?.origin !== base.origin) throw badPath(index, "must be a path of this host");
  return url;
}

function badPath(index: number, reason: string) {
  return badInput("BAD_WARM", [{ in: "body", field: `paths[${index}]`, reason }]);
}
