import type { LimitVerdict } from "./verdict.ts";

/**
 * What several limits say of one request: the verdict of the tightest, with the fields of all. `RateLimit` and `RateLimit-Policy` list
 * each, the tightest first; the fields of one window are the tightest's.
 */
export function joinedVerdict(one: LimitVerdict | null, other: LimitVerdict | null): LimitVerdict | null {
  if (!one || !other) return one ?? other;
  const [tight, loose] = isTighter(other, one) ? [other, one] : [one, other];
  // How long to wait is the tightest's to say: where it never passes, nothing is.
  const { "Retry-After": _, ...looseFields } = loose.headers;
  return {
    ...tight,
    violated: [...tight.violated, ...loose.violated],
    shadowViolated: [...tight.shadowViolated, ...loose.shadowViolated],
    headers: joinedFields(tight.headers, looseFields),
  };
}

/** One that refuses before one that admits; of those the one to wait for longest. Else the one with the fewest units left. */
function isTighter(one: LimitVerdict, other: LimitVerdict): boolean {
  const [refuses, otherRefuses] = [one.kind !== "allowed", other.kind !== "allowed"];
  if (refuses !== otherRefuses) return refuses;
  if (refuses) return waitOf(one) > waitOf(other);
  if (!one.nearest || !other.nearest) return one.nearest !== null;
  return one.nearest.remaining < other.nearest.remaining;
}

/** Seconds; infinity where waiting does not help. */
function waitOf(verdict: LimitVerdict): number {
  return ("retryAfterSeconds" in verdict && verdict.retryAfterSeconds) || Number.POSITIVE_INFINITY;
}

type Fields = Readonly<Record<string, string>>;

const LISTS = ["RateLimit-Policy", "RateLimit"] as const;
const MEMBER_NAME = /"([^"]*)"(?=;)/g;

function joinedFields(tight: Fields, loose: Fields): Record<string, string> {
  const joined: Record<string, string> = { ...loose, ...tight };
  const taken = new Set(namesIn(tight));
  const renamed = new Map<string, string>();
  for (const name of namesIn(loose)) {
    let unique = name;
    // Two members of one name could not be told apart.
    for (let number = 2; taken.has(unique); number += 1) unique = `${name}-${number}`;
    taken.add(unique);
    renamed.set(name, unique);
  }
  for (const field of LISTS) {
    const more = loose[field]?.replace(MEMBER_NAME, (_, name: string) => `"${renamed.get(name) ?? name}"`);
    const members = [tight[field], more].filter((text) => text !== undefined);
    if (members.length > 0) joined[field] = members.join(", ");
  }
  return joined;
}

function namesIn(fields: Fields): string[] {
  return [...(fields["RateLimit-Policy"] ?? "").matchAll(MEMBER_NAME)].map(([, name = ""]) => name);
}
