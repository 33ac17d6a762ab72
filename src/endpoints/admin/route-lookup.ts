import { Hono } from "hono/tiny";
import * as z from "zod/mini";
import { explainMatch } from "../../config/explain-match.ts";
import type { RouteMatcher } from "../../config/match.ts";
import { parametersIn } from "../../config/path-parameters.ts";
import type { Policy, Route } from "../../config/route.ts";
import { routeOf } from "../../edge/route.ts";
import type { Platform } from "../../runtime/platform.ts";
import { badInput } from "../bad-input.ts";
import { readJson } from "../json-body.ts";

export interface RouteLookupOptions {
  matchRoute: RouteMatcher;
  /** Those that are configured, in their order. */
  routes: readonly Route[];
  /** Whether the edge answers an address itself, on the API's hosts. */
  owned(method: string, url: URL): boolean;
  platform: Pick<Platform, "timer">;
}

/** RFC 9110 §9.1, and what a URL may be. */
export const routeLookup = z.strictObject({
  method: z.optional(
    z.string().check(z.regex(/^[!#$%&'*+.^_`|~\w-]{1,32}$/, "must be a method, such as GET")),
  ),
  path: z.string().check(z.maxLength(4096), z.regex(/^\//, "must be a path that begins with a /")),
});

/**
 * `POST /edge/routes/lookup {"method":"GET","path":"/v1/items?x=1"}`: which route a request has, and why. It asks the matcher that
 * requests are matched by, and calls nothing.
 */
export function routeLookupRoute({ matchRoute, routes, owned, platform }: RouteLookupOptions) {
  return new Hono().post("/routes/lookup", async (c) => {
    const { data } = await readJson(c.req.raw, { schema: routeLookup, code: "BAD_LOOKUP", platform });
    const method = (data.method ?? "GET").toUpperCase();
    const address = `https://edge${data.path}`;
    if (!URL.canParse(address))
      throw badInput("BAD_LOOKUP", [{ in: "body", field: "path", reason: "must be a path of a URL" }]);
    return c.json(told(method, new URL(address)), 200, { "cache-control": "no-store" });
  });

  function told(method: string, url: URL) {
    const { path, refusal } = routeOf({ request: { method }, url }, matchRoute);
    if (owned(method, url)) return { ...NO_ROUTE, method, path, because: OWNED, owned: true, refused: null };
    const refused = refusal?.facts.message ?? null;
    // As the matcher has it: what is left out of it for a path that it is not sure of is told as `refused`.
    const found = matchRoute(method, path);
    const matched =
      routes.find(({ name, path: pattern }) => name === found.name && pattern === found.path) ?? null;
    const explained = explainMatch(routes, matched, { method, path });
    if (!matched) return { ...NO_ROUTE, method, path, ...explained, owned: false, refused };
    return {
      method,
      path,
      route: matched.name,
      pattern: matched.path,
      methods: matched.methods,
      params: parametersIn(matched.path, path),
      ...explained,
      ...rulesOf(found),
      owned: false,
      refused,
    };
  }
}

const OWNED = "The edge answers this path itself.";
const NO_ROUTE = {
  ...{ route: null, pattern: null, methods: [], params: {}, not: [], access: "public", limits: [] },
  ...{ cache: null, on_store_failure: null },
};

function rulesOf({ access, limits, tiers, cache, onStoreFailure, shadow }: Route) {
  const of = (tier: string | null, policies: readonly Policy[]) =>
    policies.map(({ name, limit, window, algorithm, by, shared, shadow: own }) => {
      return { name, limit, window, algorithm, by, tier, shared, shadow: own || shadow };
    });
  return {
    access: typeof access === "string" ? access : access.join(", "),
    limits: [...of(null, limits), ...[...tiers].flatMap(([tier, policies]) => of(tier, policies))],
    cache: cache && {
      scope: cache.scope,
      ttl: cache.ttl ?? null,
      stale_while_revalidate: cache.staleWhileRevalidate,
      stale_if_error: cache.staleIfError,
      tags: cache.tags,
    },
    on_store_failure: onStoreFailure,
  };
}
