import { type ConfigIssue, shown } from "./config-error.ts";
import { durationMs } from "./duration.ts";
import { type AlgorithmTable, type AlgorithmTraits, DEFAULT_ALGORITHM } from "./limit-algorithms.ts";
import { type LimitInput, MAX_FIELD_INTEGER } from "./limit-input.ts";
import type { Policy } from "./route.ts";

/**
 * Gives the limits of a route or tier their defaults, and checks what no single key shows.
 *
 * @param route The route's name, for the ids of the policies.
 * @param place Where the list stands.
 */
export function compileLimits(
  limits: readonly LimitInput[],
  route: string,
  place: string,
  { algorithms, issues, warnings }: { algorithms: AlgorithmTable; issues: ConfigIssue[]; warnings: string[] },
): Policy[] {
  const names = new Set<string>();
  return limits.map((limit, index) => {
    const here = `${place}[${index}]`;
    const policy = compileLimit(limit, route);
    if (names.has(policy.name)) {
      issues.push({
        place: `${here}.name`,
        found: shown(policy.name),
        fix: "Give each limit of a route a name of its own.",
      });
    }
    names.add(policy.name);
    issues.push(...issuesOfLimit(policy, here, algorithms[policy.algorithm]));
    if (given(limit) > MAX_FIELD_INTEGER) {
      warnings.push(
        `${here}: a limit of ${given(limit)} counts as ${MAX_FIELD_INTEGER}, the most that a header field carries (RFC 9651 §3.3.1).`,
      );
    }
    return policy;
  });
}

function issuesOfLimit(policy: Policy, place: string, traits: AlgorithmTraits | undefined): ConfigIssue[] {
  const { algorithm, limit, cost, lease, refill } = policy;
  const issues: ConfigIssue[] = [];
  const wrong = (key: string, found: unknown, fix: string) =>
    issues.push({ place: `${place}.${key}`, found: shown(found), fix });
  if (cost > limit) wrong("cost", cost, `It can never pass a limit of ${limit}: lower it.`);
  if (lease > 0 && !traits?.counter) {
    wrong("lease", lease, `A ${algorithm} cannot be leased: remove it, or use a sliding or fixed window.`);
  } else if (lease * 10 > limit) {
    wrong("lease", lease, `At most a tenth of the limit may be leased: ${Math.floor(limit / 10)} here.`);
  }
  // The field `RateLimit-Policy` says in seconds how long the quota takes to come back.
  const fillSeconds = traits?.refills ? traits.windowSeconds(policy) : 0;
  if (fillSeconds > MAX_FIELD_INTEGER) {
    wrong(
      "refill",
      refill,
      `The bucket takes ${fillSeconds} s to fill, and no field carries more than ${MAX_FIELD_INTEGER}: raise it.`,
    );
  }
  return issues;
}

function given(limit: LimitInput): number {
  return "capacity" in limit ? limit.capacity : limit.limit;
}

/** Stands where the counter's id has a route, each of which has a `/` in its name. */
const SHARED = "shared";

/** A route's name in a key: without blanks, and without braces, which would choose the cluster's slot. */
function keyPart(route: string): string {
  return route.replace(/\s+/g, "_").replaceAll("{", "%7B").replaceAll("}", "%7D");
}

function compileLimit(limit: LimitInput, route: string): Policy {
  const algorithm = limit.algorithm ?? DEFAULT_ALGORITHM;
  const windowMs = durationMs(limit.window) ?? 0;
  const field = (value: number) => Math.min(value, MAX_FIELD_INTEGER);
  return {
    name: limit.name,
    algorithm,
    limit: field(given(limit)),
    refill: "refill" in limit ? field(limit.refill) : 0,
    windowMs,
    window: limit.window,
    cost: field(limit.cost ?? 1),
    by: limit.by ?? "caller",
    shadow: limit.shadow ?? false,
    shared: limit.shared ?? false,
    lease: limit.lease ?? 0,
    localShare: limit.localShare ?? 1,
    // Not the limit: a raised limit must not hand everybody a fresh window.
    id: `${limit.shared ? SHARED : keyPart(route)}|${limit.name}|${algorithm}|${windowMs}`,
  };
}
