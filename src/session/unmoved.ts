import type { SessionClaims } from "../identity/session-token.ts";
import type { Keys } from "../store/keys.ts";
import { changedRecord, type KeptSession } from "./record.ts";
import { keptSession } from "./upstash-session-store.ts";

/**
 * Where else to look for the session of a token whose rotation had no reply: the record and the tombstone of the id before. The
 * same MGET reads them; other tokens name none.
 */
export function unmovedKeys(keys: Keys, { rotatedFrom: id }: SessionClaims): string[] {
  return id === undefined ? [] : [keys.session(id), keys.sessionTombstone(id)];
}

/**
 * The record of such a session where Redis has none under the new id, with that id.
 *
 * @param texts What Redis holds at {@link unmovedKeys}, in their order.
 * @returns `ended` where the id before was ended, be it by that rotation: what it wrote is gone; null where there is none.
 */
export function unmovedRecord(
  { id, rotatedFrom }: SessionClaims,
  [record = null, tombstone = null]: readonly (string | null)[],
): KeptSession | "ended" | null {
  if (rotatedFrom === undefined) return null;
  if (tombstone !== null) return "ended";
  const kept = keptSession(record);
  return kept && changedRecord(kept, { session_id: id });
}
