import * as z from "zod/mini";
import { wellFormed } from "../runtime/well-formed.ts";
import { notUnderstood } from "../store/errors.ts";
import { defineScript } from "../store/script.ts";

/** The user and tier that the origin's `X-Edge-Caller` names for an accepted key; null where it names none. */
export interface VerifiedKey {
  userId: string | null;
  tier: string | null;
}

/** What is known of an API key. Times are ms since the epoch, by the clock of the isolate that sent or was told. */
export interface KeyStatus {
  /** The newest end: a 401, a 403, `X-Edge-Caller: null` or an operator's word; 0: none. */
  endedAt: number;
  /** The newest acceptance, with the time at which the origin was asked. Null for none since the newest end. */
  accepted: (VerifiedKey & { askedAt: number }) | null;
}

/** How long a verification holds from when the origin was asked, s. An end is of no use after as long. */
export const VERIFIED_SECONDS = 300;

/**
 * Adds what another isolate, or an answer, knows. The order does not matter, and adding twice is adding once: an answer that
 * was asked for before an end verifies nothing, however late it comes, and an end that is told late ends nothing newer.
 */
export function mergedStatus(one: KeyStatus, other: KeyStatus): KeyStatus {
  const endedAt = Math.max(one.endedAt, other.endedAt);
  const newest = askedAt(other) >= askedAt(one) ? other.accepted : one.accepted;
  return { endedAt, accepted: newest && newest.askedAt > endedAt ? newest : null };
}

function askedAt({ accepted }: KeyStatus): number {
  return accepted?.askedAt ?? 0;
}

const text = z.nullable(z.string().check(wellFormed));
const stored = z.object({ userId: text, tier: text, of: z.optional(z.string()) });

/**
 * A stored status: `"<ended at> <asked at> <the user and tier, JSON>"`. What cannot be read says nothing.
 *
 * @param hash That of the key.
 * @throws StoreError for another key's: replies have changed places.
 */
export function parseKeyStatus(found: string | null, hash?: string): KeyStatus {
  // With `s`: JSON has U+2028 and U+2029 as they are, and without it `.` is neither.
  const [, endedAt, asked, json = ""] = /^(\d+) (\d+) (.*)$/s.exec(found ?? "") ?? [];
  const said = parsed(json);
  if ((said?.of ?? hash) !== hash) throw notUnderstood();
  return {
    endedAt: Number(endedAt ?? 0),
    accepted: said && { userId: said.userId, tier: said.tier, askedAt: Number(asked) },
  };
}

function parsed(json: string): z.output<typeof stored> | null {
  try {
    const result = z.safeParse(stored, JSON.parse(json));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}

/**
 * The arguments of {@link keyStatusScript}.
 *
 * @param always Store it also where Redis knows nothing of the key.
 * @param of The hash of the key.
 */
export function keyStatusArguments(
  { endedAt, accepted }: KeyStatus,
  always: boolean,
  of?: string,
): (string | number)[] {
  const said = accepted ? JSON.stringify({ userId: accepted.userId, tier: accepted.tier, of }) : "";
  return [endedAt, accepted?.askedAt ?? 0, said, always ? 1 : 0, VERIFIED_SECONDS];
}

/**
 * `mergedStatus` in Redis. It replies with the status as it is then. What changes nothing is not written, so that nothing
 * lives longer for it. `test/contract/identity/key-status.test.ts` compares the two.
 */
export const keyStatusScript = defineScript(`
#!lua flags=allow-key-locking
local found = redis.call("GET", KEYS[1])
if not found and ARGV[4] == "0" then return "" end
local ended, asked, said = string.match(found or "", "^(%d+) (%d+) (.*)$")
ended, asked, said = math.max(tonumber(ended) or 0, tonumber(ARGV[1])), tonumber(asked) or 0, said or ""
if tonumber(ARGV[2]) >= asked and ARGV[3] ~= "" then asked, said = tonumber(ARGV[2]), ARGV[3] end
if asked <= ended then asked, said = 0, "" end
local status = string.format("%.0f %.0f ", ended, asked) .. said
if status ~= found then redis.call("SET", KEYS[1], status, "EX", ARGV[5]) end
return status`);
