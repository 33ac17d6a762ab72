import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import { type Problem, problem } from "../../http/problem.ts";
import type { ResponseCache } from "../../response-cache/response-cache.ts";
import type { PurgeRequest } from "../../response-cache/withdrawals.ts";

const list = z.optional(z.array(z.string()).check(z.maxLength(500)));
const body = z.strictObject({
  files: list,
  prefixes: list,
  tags: list,
  users: z.optional(z.array(z.string().check(z.minLength(1), z.maxLength(256))).check(z.maxLength(500))),
  purge_everything: z.optional(z.boolean()),
  soft: z.optional(z.boolean()),
});

/** `POST /edge/cache/purge`, with the same body as Cloudflare's purge API. */
export function purgeRoutes({ cache }: { cache: Pick<ResponseCache, "purge"> }) {
  return new Hono<{ Variables: { requestId: string } }>().post("/cache/purge", async (c) => {
    const parsed = z.safeParse(body, await c.req.json().catch(() => null));
    if (!parsed.success)
      throw badPurge("The body must be JSON with files, prefixes, tags, users or purge_everything.");
    const {
      files = [],
      prefixes = [],
      tags = [],
      users = [],
      purge_everything: everything = false,
      soft = false,
    } = parsed.data;
    if (files.length + prefixes.length + tags.length + users.length === 0 && !everything) {
      throw badPurge("It names nothing to purge.");
    }
    const own = new URL(c.req.url);
    const request: PurgeRequest = {
      files: files.map((file) => absolute(file, own)),
      prefixes: prefixes.map(prefix),
      tags: tags.map((tag) => tag.toLowerCase()),
      users,
      everything,
      soft,
    };
    const outcome = await cache.purge(request, c.get("requestId"));
    const durable = outcome === "everywhere";
    return c.json(
      {
        success: true,
        purged: {
          files: files.length,
          prefixes: prefixes.length,
          tags: tags.length,
          users: users.length,
          everything,
        },
        // Without the store a purge takes effect in this isolate only.
        reach: durable ? "everywhere" : "this isolate",
      },
      durable ? 200 : 202,
      { "cache-control": "no-store" },
    );
  });
}

/** A file is a URL, or a path on the request's host. */
function absolute(file: string, own: URL): URL {
  if (!URL.canParse(file, own.href) || !/^(https?:|\/)/.test(file))
    throw badPurge(`"${file.slice(0, 100)}" is no address.`);
  return new URL(file, own);
}

/**
 * A prefix in Cloudflare's form: host and path without a scheme, with a slash at its end. Whatever else an address may
 * hold is refused: it would reach nothing, or more than was meant.
 */
function prefix(text: string): string {
  const scheme = /^https?:\/\//.exec(text)?.[0] ?? "https://";
  const bare = text.slice(text.startsWith(scheme) ? scheme.length : 0);
  const isPrefix = /^[^/?#@\\]+\/(?:[^?#]*\/)?$/.test(bare) && URL.canParse(scheme + bare);
  if (!isPrefix) {
    throw badPurge(`The prefix "${text.slice(0, 100)}" must be a host and a path that ends with a /.`);
  }
  return `${new URL(scheme + bare).host}${bare.slice(bare.indexOf("/"))}`;
}

function badPurge(reason: string): Problem {
  return problem("BAD_PURGE", { values: { reason } });
}
