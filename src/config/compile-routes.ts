import * as z from "zod/mini";
import { type ConfigIssue, shown } from "./config-error.ts";
import { durationMs } from "./duration.ts";
import type { CacheRule, Duration, Policy, Route } from "./route.ts";
import { issuesOf } from "./zod-issues.ts";

const count = z.int().check(z.positive("Must be a whole number of at least 1."));
const seconds = z.number().check(z.nonnegative("Must be seconds, 0 or more."));
const window = z
  .string()
  .check(
    z.refine(
      (text) => durationMs(text) !== null,
      'Write it as a number and ms, s, m, h, d or w: "10 s", "1 m".',
    ),
  );
const name = z.string().check(z.regex(/^[A-Za-z0-9_-]{1,64}$/, "Use 1 to 64 letters, digits, - or _."));

const limitBase = {
  name,
  window,
  cost: z.optional(count),
  by: z.optional(z.enum(["caller", "address"])),
  shadow: z.optional(z.boolean()),
  lease: z.optional(count),
  localShare: z.optional(z.number().check(z.gt(0), z.lte(1))),
};
const windowLimit = z.strictObject({
  ...limitBase,
  limit: count,
  algorithm: z.optional(z.enum(["sliding-window", "fixed-window", "sliding-log"])),
});
const bucketLimit = z.strictObject({
  ...limitBase,
  algorithm: z.literal("token-bucket"),
  capacity: count,
  refill: count,
});
type LimitShape = z.infer<typeof windowLimit> | z.infer<typeof bucketLimit>;

const route = z.strictObject({
  path: z.string().check(z.startsWith("/", "Must start with a /.")),
  methods: z.optional(z.array(z.string().check(z.regex(/^[A-Za-z]+$/, "Must be method names.")))),
  access: z.optional(z.enum(["public", "identified", "session"])),
  limits: z.optional(z.array(z.unknown())),
  tiers: z.optional(z.record(z.string(), z.array(z.unknown()))),
  cache: z.optional(
    z.strictObject({
      ttl: z.optional(seconds),
      scope: z.optional(z.enum(["public", "shared", "caller"])),
      staleWhileRevalidate: z.optional(seconds),
      staleIfError: z.optional(seconds),
      tags: z.optional(
        z.array(z.string().check(z.regex(/^[!-~]{1,1024}$/, "Must be visible ASCII without spaces."))),
      ),
      query: z.optional(
        z.strictObject({ ignore: z.optional(z.array(z.string())), sort: z.optional(z.boolean()) }),
      ),
    }),
  ),
  session: z.optional(z.enum(["start", "end"])),
  offline: z.optional(z.boolean()),
  onStoreFailure: z.optional(z.enum(["local", "open", "closed"])),
  verifiesKeys: z.optional(z.boolean()),
  rawPath: z.optional(z.boolean()),
  shadow: z.optional(z.boolean()),
});

/**
 * Checks a list of routes and gives them their defaults. Issues are added to `issues`, each with its place; the
 * routes that are right are returned all the same, so that one look shows everything that is wrong.
 *
 * @param cacheTtlSeconds `REDIS_CACHE_TTL`: the lifetime for `shared` and `caller` rules that name none; 0 = none.
 */
export function compileRoutes(
  input: unknown,
  cacheTtlSeconds: number,
  issues: ConfigIssue[],
  place = "routes",
): Route[] {
  if (!Array.isArray(input)) {
    issues.push({ place, found: shown(input), fix: "Write a list of routes." });
    return [];
  }
  const routes: Route[] = [];
  input.forEach((entry: unknown, index) => {
    const here = `${place}[${index}]`;
    const parsed = z.safeParse(route, entry);
    if (!parsed.success) {
      issues.push(...issuesOf(parsed.error, here, entry));
      return;
    }
    const { path, methods = [], tiers = {}, cache, ...rest } = parsed.data;
    const upper = methods.map((method) => method.toUpperCase());
    const label = upper.length > 0 ? `${upper.join(",")} ${path}` : path;
    const compile = (limits: unknown[], at: string) => compileLimits(limits, label, at, issues);
    if (cache && upper.length > 0 && !upper.some((method) => method === "GET" || method === "HEAD")) {
      issues.push({
        place: `${here}.cache`,
        found: `a cache rule on ${upper.join(", ")}`,
        fix: "Only GET and HEAD are cached: remove the rule, or add GET to methods.",
      });
    }
    if (rest.session && upper.length > 0 && !upper.includes("POST")) {
      issues.push({
        place: `${here}.session`,
        found: `session = ${shown(rest.session)} on ${upper.join(", ")}`,
        fix: "Sessions start and end with a POST: add it to methods.",
      });
    }
    routes.push({
      name: label,
      path,
      methods: upper,
      access: rest.access ?? "public",
      limits: compile(rest.limits ?? [], `${here}.limits`),
      tiers: new Map(
        Object.entries(tiers).map(([tier, limits]) => [tier, compile(limits, `${here}.tiers.${tier}`)]),
      ),
      cache: cache ? cacheRule(cache, cacheTtlSeconds) : null,
      session: rest.session ?? null,
      offline: rest.offline ?? true,
      onStoreFailure: rest.onStoreFailure ?? "local",
      verifiesKeys: rest.verifiesKeys ?? false,
      rawPath: rest.rawPath ?? false,
      shadow: rest.shadow ?? false,
    });
  });
  return routes;
}

function cacheRule(rule: NonNullable<z.infer<typeof route>["cache"]>, defaultTtl: number): CacheRule {
  const scope = rule.scope ?? "public";
  const fallback = scope === "public" || defaultTtl === 0 ? undefined : defaultTtl;
  return {
    ttl: rule.ttl ?? fallback,
    scope,
    staleWhileRevalidate: rule.staleWhileRevalidate ?? 0,
    staleIfError: rule.staleIfError ?? 0,
    tags: rule.tags ?? [],
    query: { ignore: rule.query?.ignore ?? [], sort: rule.query?.sort ?? false },
  };
}

function compileLimits(limits: unknown[], route: string, place: string, issues: ConfigIssue[]): Policy[] {
  const policies: Policy[] = [];
  const names = new Set<string>();
  limits.forEach((entry, index) => {
    const here = `${place}[${index}]`;
    const bucket =
      typeof entry === "object" &&
      entry !== null &&
      "algorithm" in entry &&
      entry.algorithm === "token-bucket";
    const parsed = z.safeParse(bucket ? bucketLimit : windowLimit, entry);
    if (!parsed.success) {
      issues.push(...issuesOf(parsed.error, here, entry));
      return;
    }
    const policy = compileLimit(parsed.data, route);
    const wrong = (key: string, found: unknown, fix: string) =>
      issues.push({ place: `${here}.${key}`, found: shown(found), fix });
    if (names.has(policy.name)) wrong("name", policy.name, "Give each limit of a route a name of its own.");
    if (policy.cost > policy.limit)
      wrong("cost", policy.cost, `It can never pass a limit of ${policy.limit}: lower it.`);
    if (policy.lease > 0) {
      if (policy.algorithm === "sliding-log" || policy.algorithm === "token-bucket") {
        wrong(
          "lease",
          policy.lease,
          `A ${policy.algorithm} cannot be leased: remove it, or use a sliding or fixed window.`,
        );
      } else if (policy.lease * 10 > policy.limit) {
        wrong(
          "lease",
          policy.lease,
          `At most a tenth of the limit may be leased: ${Math.floor(policy.limit / 10)} here.`,
        );
      }
    }
    names.add(policy.name);
    policies.push(policy);
  });
  return policies;
}

function compileLimit(limit: LimitShape, route: string): Policy {
  const algorithm = limit.algorithm ?? "sliding-window";
  const windowMs = durationMs(limit.window) ?? 0;
  return {
    name: limit.name,
    algorithm,
    limit: "capacity" in limit ? limit.capacity : limit.limit,
    refill: "refill" in limit ? limit.refill : 0,
    windowMs,
    window: limit.window as Duration,
    cost: limit.cost ?? 1,
    by: limit.by ?? "caller",
    shadow: limit.shadow ?? false,
    lease: limit.lease ?? 0,
    localShare: limit.localShare ?? 1,
    // Not the limit: a raised limit must not hand everybody a fresh window.
    id: `${route}|${limit.name}|${algorithm}|${windowMs}`.replace(/[\s{}]+/g, "_"),
  };
}
