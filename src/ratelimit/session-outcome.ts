import type { SessionClaims } from "../identity/session-token.ts";
import type { Keys } from "../store/keys.ts";

/** A session that a request claims. The batch that charges the request also confirms the session. */
export interface ClaimedSession {
  claims: Pick<SessionClaims, "id" | "issuedAt" | "offline">;
  /** The hash of the session's user. */
  userHash: string;
}

export type SessionOutcome = "alive" | "over";

/**
 * Decides in the charge script whether a session lives. The rule stands twice, here and in `src/session/validate.ts`
 * (`confirmed`); change both. `test/contract/ratelimit/session-outcome.test.ts` compares them case by case.
 *
 * A session lives if nothing ends it (tombstone, user's mark, version), and if Redis has its record or its token says that
 * it was created in an outage. The script does not read the record, so it does not see idle time, another user's record or
 * a malformed one; Redis deletes a record when its idle time is over.
 *
 * Reads KEYS of {@link sessionKeys} as 1 to 4 and the arguments of {@link sessionArguments} from `ARGV[3]`.
 */
export const luaSessionLives = `
local function session_lives()
  local found = redis.call("MGET", KEYS[1], KEYS[2], KEYS[3], KEYS[4])
  local id, issued, offline = ARGV[3], tonumber(ARGV[4]), ARGV[5] == "1"
  if found[2] or (tonumber(found[4] or 0) or 0) >= issued then return false end
  local marked_at, except = string.match(found[3] or "", "^(%d+) ?(.*)$")
  if marked_at and except ~= id and tonumber(marked_at) >= issued then return false end
  return offline or found[1] ~= false
end`;

/** Record, tombstone, the user's mark, version. */
export function sessionKeys(keys: Keys, { claims, userHash }: ClaimedSession): string[] {
  return [
    keys.session(claims.id),
    keys.sessionTombstone(claims.id),
    keys.sessionMark(userHash),
    keys.sessionVersion(),
  ];
}

export function sessionArguments({ claims }: ClaimedSession): (string | number)[] {
  return [claims.id, claims.issuedAt, claims.offline ? 1 : 0];
}
