import { isNamedBy } from "../http/name-pattern.ts";
import { admits, CREDENTIAL_KINDS } from "./access.ts";
import { type ConfigIssue, shown } from "./config-error.ts";
import { covers, type PathPattern, readPattern } from "./path-pattern.ts";
import type { Route } from "./route.ts";

/** A route that was read, and its place in the list. */
export interface PlacedRoute {
  route: Route;
  place: string;
}

/** Paths that the edge answers itself. */
export interface OwnedPaths {
  healthPath: string;
  authBasePath: string;
}

const EDGE_PATH = "/edge";

/** Finds routes that can never match, because earlier ones take every path and method of theirs. */
export function checkShadowed(routes: readonly PlacedRoute[], issues: ConfigIssue[]): void {
  const earlier: { pattern: PathPattern; route: Route }[] = [];
  for (const { route, place } of routes) {
    const pattern = readPattern(route.path);
    const above = earlier.filter((each) => covers(each.pattern, pattern)).map((each) => each.route);
    const takes = (method: string | null) =>
      above.some(
        ({ methods }) => methods.length === 0 || (method !== null && withHead(methods).includes(method)),
      );
    const methods = route.methods.length === 0 ? [null] : withHead(route.methods);
    if (methods.every(takes)) {
      issues.push({
        place,
        found: `${shown(route.name)} after ${above.map((each) => shown(each.name)).join(", ")}`,
        fix: "It can never match, because the first route that matches is used: put it before, or remove it.",
      });
    }
    earlier.push({ pattern, route });
  }
}

/** A route for GET is used for HEAD too (RFC 9110 §9.3.2). */
export function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes("GET") ? [...methods, "HEAD"] : methods;
}

/** Finds paths of the edge that collide with each other, and routes for paths that the edge answers before any route. */
export function checkOwnedPaths(
  { healthPath, authBasePath }: OwnedPaths,
  routes: readonly PlacedRoute[],
  issues: ConfigIssue[],
): void {
  const owned = [
    { name: null, path: EDGE_PATH },
    { name: "HEALTH_PATH", path: healthPath },
    { name: "AUTH_BASE_PATH", path: authBasePath },
  ];
  for (const [index, { name, path }] of owned.entries()) {
    const other = owned.slice(0, index).find((each) => isUnder(path, each.path) || isUnder(each.path, path));
    if (!name || !other) continue;
    issues.push({
      place: name,
      found: shown(path),
      fix: `Choose a path of its own: ${other.name ?? "the operators' paths"} ${other.name ? "is" : "are"} at ${other.path}.`,
    });
  }
  const health = [healthPath, `${healthPath}/live`, `${healthPath}/ready`];
  for (const { route, place } of routes) {
    // The edge answers GET and HEAD there; other methods pass to the origin.
    const isHealth = health.includes(route.path) && route.methods.every(isRead);
    if (!isHealth && !isUnder(route.path, EDGE_PATH)) continue;
    issues.push({
      place: `${place}.path`,
      found: shown(route.path),
      fix: isHealth
        ? "The edge answers it before any route: remove the route, or move the edge's own with HEALTH_PATH."
        : "The edge answers everything under /edge before any route: remove the route.",
    });
  }
}

function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function isUnder(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}

/** What can name a caller's tier. */
export interface TierSources {
  /** Tiers of `API_KEYS`. */
  apiKeyTiers: readonly string[];
  hasSessions: boolean;
  hasTierClaim: boolean;
}

/**
 * Tiers that no caller can have, as warnings: sessions, the tier claim of JWTs and keys that an origin verifies may name
 * any tier, so a tier is out of reach only where there is none of these.
 */
export function unreachableTiers(routes: readonly PlacedRoute[], sources: TierSources): string[] {
  const anyTier =
    sources.hasSessions || sources.hasTierClaim || routes.some(({ route }) => route.verifiesKeys);
  if (anyTier) return [];
  return routes.flatMap(({ route, place }) =>
    [...route.tiers.keys()]
      .filter((tier) => !sources.apiKeyTiers.includes(tier))
      .map(
        (tier) =>
          `${place}.tiers: nobody can have the tier ${shown(tier)}, because no API key has it, and neither SESSION_SECRET, JWT_TIER_CLAIM nor a route with verifiesKeys is set.`,
      ),
  );
}

/** What can open a route. */
export interface CredentialSources {
  hasApiKeys: boolean;
  hasSessions: boolean;
  hasJwt: boolean;
}

/** Routes that nobody can use, as warnings: none of the credentials that their `access` admits can ever be verified. */
export function unreachableAccess(routes: readonly PlacedRoute[], sources: CredentialSources): string[] {
  const sourceOf = {
    key: sources.hasApiKeys || routes.some(({ route }) => route.verifiesKeys),
    jwt: sources.hasJwt,
    session: sources.hasSessions,
  };
  return routes.flatMap(({ route: { access, name }, place }) =>
    access === "public" || CREDENTIAL_KINDS.some((kind) => admits(access, kind) && sourceOf[kind])
      ? []
      : [`${place}.access: nobody can use ${shown(name)}, for it takes ${shown(access)}. ${SOURCES}`],
  );
}

const SOURCES =
  "Keys need API_KEYS or a route with verifiesKeys, JWTs JWT_SECRET or JWT_JWKS_URL, sessions SESSION_SECRET.";

/** Leases that are never taken, as warnings: a request needs no call only where every limit of its list has one. */
export function uselessLeases(routes: readonly PlacedRoute[]): string[] {
  return routes.flatMap(({ route: { limits, tiers }, place }) => {
    const lists = [
      ["limits", limits] as const,
      ...[...tiers].map(([tier, own]) => [`tiers.${tier}`, own] as const),
    ];
    return lists.flatMap(([key, list]) => {
      const without = list.flatMap(({ name, lease }) => (lease === 0 ? [shown(name)] : []));
      const leased = list.flatMap(({ lease }, index) =>
        lease > 0 ? [`${place}.${key}[${index}].lease`] : [],
      );
      if (without.length === 0) return [];
      return leased.map(
        (each) =>
          `${each} has no effect: ${without.join(", ")} beside it has none, and each request asks Redis for that.`,
      );
    });
  });
}

/**
 * Finds cache rules that ignore the cookie of the JWT: your API would be told of a user and its answer be stored as one for
 * everybody.
 */
export function checkIgnoredCookies(
  routes: readonly PlacedRoute[],
  jwtCookie: string | null,
  issues: ConfigIssue[],
): void {
  for (const { route, place } of routes) {
    const names = route.cache?.ignoreCookies ?? [];
    if (jwtCookie === null || !isNamedBy(jwtCookie, names)) continue;
    issues.push({
      place: `${place}.cache.ignoreCookies`,
      found: shown(names),
      fix: `It names JWT_COOKIE (${shown(jwtCookie)}), which says who asks: leave that out.`,
    });
  }
}
