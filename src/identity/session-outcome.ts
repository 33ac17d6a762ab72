import type { Keys } from "../store/keys.ts";
import { luaMarks, markedAt, parseMark } from "./session-marks.ts";
import type { SessionClaims } from "./session-token.ts";
import type { UserNames } from "./session-users.ts";

/** A session as its token states it: enough to decide whether it lives, with what Redis holds. */
export interface ClaimedSession {
  claims: SessionClaims;
  user: UserNames;
}

/**
 * - `alive`: nothing ends it, and Redis has its record or its token carries one that is to be written.
 * - `absent`: nothing ends it, and Redis has no record of it.
 * - `ended`: Redis holds its tombstone, or a version or a mark of its user that covers its creation.
 */
export type StoredOutcome = "alive" | "absent" | "ended";

/**
 * The keys that tell whether a session lives: record, tombstone, version, and the user's mark under each of the user's names.
 * One MGET reads them all.
 */
export function sessionKeys(keys: Keys, { claims, user }: ClaimedSession): string[] {
  return [
    keys.session(claims.id),
    keys.sessionTombstone(claims.id),
    keys.sessionVersion(),
    ...user.map((name) => keys.sessionMark(name)),
  ];
}

/** Whether a session lives. @param texts What Redis holds at {@link sessionKeys}, in their order. */
export function storedOutcome(
  { id, issuedAt, offline }: Pick<SessionClaims, "id" | "issuedAt" | "offline">,
  [record = null, tombstone = null, version = null, ...marks]: readonly (string | null)[],
): StoredOutcome {
  if (tombstone !== null || Number(version ?? 0) >= issuedAt) return "ended";
  if (marks.some((mark) => markedAt(parseMark(mark), id) >= issuedAt)) return "ended";
  return offline || record !== null ? "alive" : "absent";
}

export function sessionArguments({ claims, user }: ClaimedSession): (string | number)[] {
  return [claims.id, claims.issuedAt, claims.offline ? 1 : 0, user.length];
}

/** Number of {@link sessionArguments}. */
export const SESSION_ARGUMENTS = 4;

/**
 * {@link storedOutcome} in Lua: `session_outcome(first)` returns 1 alive, 2 absent, 3 ended, and the number of its keys. It
 * reads KEYS of {@link sessionKeys} from the first on, and ARGV of {@link sessionArguments} from `first` on.
 * `test/contract/identity/session-outcome.test.ts` compares the two.
 */
export const luaSessionOutcome = `
${luaMarks}
local function session_outcome(first)
  local id, issued, offline = ARGV[first], tonumber(ARGV[first + 1]), ARGV[first + 2] == "1"
  local count = 3 + tonumber(ARGV[first + 3])
  local found = redis.call("MGET", unpack(KEYS, 1, count))
  if found[2] or (tonumber(found[3] or 0) or 0) >= issued then return 3, count end
  for each = 4, count do
    if marked_at(found[each], id) >= issued then return 3, count end
  end
  if offline or found[1] then return 1, count end
  return 2, count
end`;
