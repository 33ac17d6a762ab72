import * as z from "zod/mini";
import { compiledAccess } from "./access.ts";
import { patternIssue } from "./check-pattern.ts";
import type { PlacedRoute } from "./check-routes.ts";
import { compileLimits } from "./compile-limits.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import { checkEager } from "./eager-route.ts";
import { checkInvalidates, checkTags, invalidatesOf } from "./invalidates.ts";
import type { AlgorithmTable } from "./limit-algorithms.ts";
import { checkLimits } from "./limit-input.ts";
import type { CacheRule, Route } from "./route.ts";
import type { CacheRuleInput, RouteInput } from "./route-input.ts";
import { routeSchema } from "./routes-schema.ts";
import { issuesOf } from "./zod-issues.ts";

export interface CompileOptions {
  /** `REDIS_CACHE_TTL`: the lifetime for `shared` and `caller` rules that name none; 0 = none. */
  cacheTtlSeconds: number;
  /** Where the list stands: `routes` (src/routes.ts) or `ROUTES`. */
  place: string;
  /** The algorithms that limits may have. */
  algorithms: AlgorithmTable;
  issues: ConfigIssue[];
  warnings: string[];
}

/**
 * Checks a list of routes and gives them their defaults. Issues are added to `issues`, each with its place. The routes
 * without an issue are returned all the same, so that one look shows everything that is wrong.
 */
export function compileRoutes(input: unknown, options: CompileOptions): PlacedRoute[] {
  const { issues } = options;
  if (!Array.isArray(input)) {
    issues.push({ place: options.place, found: shown(input), fix: "Write a list of routes." });
    return [];
  }
  return input.flatMap((entry: unknown, index): PlacedRoute[] => {
    const place = `${options.place}[${index}]`;
    const parsed = z.safeParse(routeSchema, entry);
    if (!parsed.success) issues.push(...issuesOf(parsed.error, place, entry));
    const limits = checkedLimits(entry, place, options);
    if (!parsed.success) {
      // Limits of a route with another issue are checked all the same, as far as they can be read.
      compileLimits(limits.limits ?? [], "", `${place}.limits`, options);
      return [];
    }
    if (limits.issues) return [];
    const before = issues.length;
    checkRoute(parsed.data, place, issues);
    const hasPattern = issues.length === before;
    const route = compileRoute(parsed.data, place, options);
    return hasPattern ? [{ route, place }] : [];
  });
}

/** The limits of a route, and whether these or those of its tiers have an issue. */
function checkedLimits(entry: unknown, place: string, options: CompileOptions) {
  const { limits, tiers } = (entry ?? {}) as { limits?: unknown; tiers?: unknown };
  const byTier = typeof tiers === "object" && tiers !== null ? Object.entries(tiers) : [];
  const own = checkLimits(limits, `${place}.limits`, options);
  const others = byTier.map(([tier, list]) => checkLimits(list ?? null, `${place}.tiers.${tier}`, options));
  return { limits: own, issues: own === null || others.includes(null) };
}

function checkRoute(input: RouteInput, place: string, issues: ConfigIssue[]) {
  const { path, methods = [], cache, session, rawPath } = input;
  const upper = methods.map((method) => method.toUpperCase());
  checkTags(input, place, issues);
  checkInvalidates(input, upper, `${place}.invalidates`, issues);
  checkEager(input, upper, `${place}.originFetch`, issues);
  const pattern = patternIssue(path, rawPath ?? false);
  if (pattern) issues.push({ place: `${place}.path`, found: shown(path), fix: pattern });
  if (cache && upper.length > 0 && !upper.some((method) => method === "GET" || method === "HEAD")) {
    issues.push({
      place: `${place}.cache`,
      found: `a cache rule on ${upper.join(", ")}`,
      fix: "Only GET and HEAD are cached: remove the rule, or add GET to methods.",
    });
  }
  if (session && upper.length > 0 && !upper.includes("POST")) {
    issues.push({
      place: `${place}.session`,
      found: `session = ${shown(session)} on ${upper.join(", ")}`,
      fix: "Sessions start and end with a POST: add it to methods.",
    });
  }
}

function compileRoute(input: RouteInput, place: string, options: CompileOptions): Route {
  const methods = [...new Set(input.methods?.map((method) => method.toUpperCase()))];
  const name = methods.length > 0 ? `${methods.join(",")} ${input.path}` : input.path;
  return {
    name,
    path: input.path,
    methods,
    access: compiledAccess(input.access ?? "public"),
    limits: compileLimits(input.limits ?? [], name, `${place}.limits`, options),
    tiers: new Map(
      Object.entries(input.tiers ?? {}).map(([tier, limits]) => [
        tier,
        compileLimits(limits, name, `${place}.tiers.${tier}`, options),
      ]),
    ),
    cache: input.cache ? cacheRule(input.cache, options.cacheTtlSeconds) : null,
    invalidates: invalidatesOf(input.invalidates),
    session: input.session ?? null,
    crossSite: input.crossSite ?? [],
    offline: input.offline ?? true,
    onStoreFailure: input.onStoreFailure ?? "local",
    originFetch: input.originFetch ?? null,
    verifiesKeys: input.verifiesKeys ?? false,
    rawPath: input.rawPath ?? false,
    forgiving: input.forgiving ?? true,
    shadow: input.shadow ?? false,
  };
}

function cacheRule(rule: CacheRuleInput, defaultTtl: number): CacheRule {
  const scope = rule.scope ?? "public";
  const fallback = scope === "public" || defaultTtl === 0 ? undefined : defaultTtl;
  return {
    ttl: rule.ttl ?? fallback,
    scope,
    staleWhileRevalidate: rule.staleWhileRevalidate ?? 0,
    staleIfError: rule.staleIfError ?? 0,
    tags: rule.tags ?? [],
    query: {
      ignore: rule.query?.ignore ?? [],
      allow: rule.query?.allow ?? null,
      sort: rule.query?.sort ?? false,
    },
    ignoreCookies: rule.ignoreCookies ?? [],
  };
}
