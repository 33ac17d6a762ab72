import type { Context } from "hono";
import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import { MAX_AT_ONCE } from "../../response-cache/purge-times.ts";
import type { ResponseCache } from "../../response-cache/response-cache.ts";
import type { PurgeRequest } from "../../response-cache/withdrawals.ts";
import type { Platform } from "../../runtime/platform.ts";
import { wellFormed } from "../../runtime/well-formed.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";
import { anyUser } from "./any-user.ts";
import { apiAddress, type Hosts, hostName } from "./api-host.ts";

const list = z.optional(
  z.array(z.string().check(z.minLength(1), z.maxLength(4096), wellFormed)).check(z.maxLength(500)),
);
export const purgeBody = z.strictObject({
  files: list,
  prefixes: list,
  tags: list,
  users: z.optional(z.array(anyUser).check(z.maxLength(500))),
  purge_everything: z.optional(z.boolean()),
  soft: z.optional(z.boolean()),
  host: z.optional(hostName),
});

const TOO_MANY = `must name at most ${MAX_AT_ONCE} in all, and an address that may be spelled in two ways counts twice`;

/** Purges that `GET /edge/cache/purges` tells. */
const MAX_LATEST = 50;

export interface PurgeRoutesOptions {
  cache: Pick<ResponseCache, "purge" | "latestPurges">;
  hosts: Hosts;
  platform: Pick<Platform, "timer">;
}

/**
 * `POST /edge/cache/purge`, with the same body as Cloudflare's purge API; `host` is what files that are paths stand on.
 * `GET /edge/cache/purges`: the latest ones, also those that requests have caused.
 */
export function purgeRoutes({ cache, hosts, platform }: PurgeRoutesOptions) {
  return new Hono<{ Variables: { requestId: string } }>()
    .get("/cache/purges", latest)
    .post("/cache/purge", async (c) => {
      const { data } = await readJson(c.req.raw, { schema: purgeBody, code: "BAD_PURGE", platform });
      const {
        files = [],
        prefixes = [],
        tags = [],
        users = [],
        purge_everything: everything = false,
        soft = false,
      } = data;
      if (files.length + prefixes.length + tags.length + users.length === 0 && !everything) {
        throw badPurge("body", "must name files, prefixes, tags, users or purge_everything");
      }
      const isPath = (file: string) => file.startsWith("/");
      const own = new URL(c.req.url);
      const needsHost = data.host !== undefined || files.some(isPath);
      const base = needsHost ? apiAddress(own, data.host, hosts, "BAD_PURGE") : own;
      const request: PurgeRequest = {
        files: files.map((file, index) => absolute(file, index, base)),
        prefixes: prefixes.map(prefix),
        tags: tags.map(tagName),
        users,
        everything,
        soft,
      };
      const outcome = await cache.purge(request, c.get("requestId"));
      if (outcome === "too many") throw badPurge("body", TOO_MANY);
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

  async function latest(c: Context) {
    const { complete, shared, purges } = await cache.latestPurges(MAX_LATEST);
    const told = purges.map(({ target: { kind, value }, soft, at, pending }) => ({
      at,
      kind: kind === "url" ? ("file" as const) : kind,
      what: whatOf(kind, value),
      soft,
      reach: pending || !shared ? ("this isolate" as const) : ("everywhere" as const),
    }));
    return c.json({ complete, purges: told }, 200, { "cache-control": "no-store" });
  }
}

/** Of a file the log has a hash that says nothing; of a user the one by which the log of requests knows the caller. */
function whatOf(kind: string, value: string): string | null {
  if (kind === "url" || value === "") return null;
  return kind === "user" ? `hash:${value}` : value;
}

/** Other products (CloudFront, nginx) take a `*`; here it would be a letter, and the purge a success that reaches nothing. */
const NO_STAR = "all below a path is a prefix that ends with a /, as in api.example.com/v1/";

/** A tag as stored answers have it. One with a comma would be several there (`Cache-Tag`), and reach nothing. */
function tagName(text: string, index: number): string {
  const name = text.trim().toLowerCase();
  if (name === "" || /[,\p{Cc}]/u.test(name))
    throw badPurge(`tags[${index}]`, "must be one tag, without commas and control characters");
  if (name.endsWith("*")) throw badPurge(`tags[${index}]`, `must be a whole tag: ${NO_STAR}`);
  return name;
}

/** A file is a URL, or a path on the API's host. */
function absolute(file: string, index: number, base: URL): URL {
  const isAddress = /^https?:\/\//i.test(file);
  // As URL reads it `//v1/items` is on the host v1, where nothing is stored.
  const url =
    (isAddress || file.startsWith("/")) && URL.canParse(file, base.href) ? new URL(file, base) : null;
  if (!url || !(isAddress || url.origin === base.origin))
    throw badPurge(`files[${index}]`, "must be an http or https address, or a path");
  if (/^[^?]*\*$/.test(file)) throw badPurge(`files[${index}]`, `must be one address: ${NO_STAR}`);
  return url;
}

/**
 * A prefix in Cloudflare's form: host and path without a scheme, with a slash at its end. Whatever else an address may
 * hold is refused: it would reach nothing, or more than was meant.
 */
function prefix(text: string, index: number): string {
  const scheme = /^https?:\/\//i.exec(text)?.[0] ?? "https://";
  const bare = text.slice(text.startsWith(scheme) ? scheme.length : 0);
  const isPrefix = /^[^/?#@\\]+\/(?:[^?#]*\/)?$/.test(bare) && URL.canParse(scheme + bare);
  if (!isPrefix) {
    throw badPurge(`prefixes[${index}]`, "must be a host and a path that ends with a /");
  }
  if (bare.includes("*")) throw badPurge(`prefixes[${index}]`, `must be written without *: ${NO_STAR}`);
  return `${new URL(scheme + bare).host}${bare.slice(bare.indexOf("/"))}`;
}

function badPurge(field: string, reason: string) {
  return badInput("BAD_PURGE", [{ in: "body", field, reason }]);
}
