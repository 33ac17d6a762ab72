import type { SessionClaims } from "../identity/session-token.ts";
import type { Keys } from "../store/keys.ts";

/** A session that a request claims, and that is confirmed by the same batch that charges the request. */
export interface ClaimedSession {
  claims: Pick<SessionClaims, "id" | "issuedAt" | "offline">;
  /** The hash of the session's user. */
  userHash: string;
}

export type SessionOutcome = "alive" | "over";

/**
 * Decides in the charge script whether a session lives, by the rule of `session/validate.ts`: nothing has ended it (the
 * tombstone, the user's mark, the version), and its record is there or its token says that it was made in an outage. Idle
 * time is not looked at: Redis drops the record when it is over.
 *
 * Sees KEYS of {@link sessionKeys} as 1 to 4 and the arguments of {@link sessionArguments} from `ARGV[3]`.
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
