import { endingsOf, type Mark, markedAt, NO_MARK, parseMark, withEnding } from "../identity/session-marks.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { UserNames } from "../identity/session-users.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { SessionName } from "./memory-session-store.ts";

/**
 * Why a session counts as over.
 *
 * - `evidence`: Redis holds its tombstone, or a mark that ends it. It never becomes active again.
 * - `absent`: Redis has no record of it. A replica that lags, or a pending write, has the same effect.
 */
export type EndedBy = "evidence" | "absent";

export interface KnownEndsOptions {
  platform: Pick<Platform, "now">;
  /** How long an absent record is remembered, ms: `ISOLATE_MAX_AGE_MS`. */
  isolateMaxAgeMs: number;
  /** Maximum number of sessions. Default 20000. */
  entries?: number;
}

/** The write of a session that was created or rotated less than this ago may not have reached every replica, ms. */
const SYNC_WINDOW_MS = 60_000;

/** How long a mark is remembered after Redis has last reported it, ms: longer than the grace of an outage. */
const MARK_MS = 86_400_000;

/**
 * Sessions that Redis has reported as over: by their ids, and by the marks and the version that it read. The isolate refuses them without a call, also while the store is lost. Bounded:
 * when the map is full, the least recently used entry is evicted, and Redis is asked again.
 */
export function createKnownEnds({ platform, isolateMaxAgeMs, entries = 20_000 }: KnownEndsOptions) {
  const known = new BoundedMap<EndedBy>({ platform, entries, whenFull: "evict" });
  const marks = new BoundedMap<Mark>({ platform, entries, whenFull: "evict" });
  let everyoneUntil = 0;

  return {
    get size(): number {
      return known.size;
    },

    /** Whether the session is known to be over. */
    has({ id, user, createdAt }: SessionName): boolean {
      if (known.get(id) !== undefined || createdAt <= everyoneUntil) return true;
      return createdAt <= markedAt(marks.get(user[0]) ?? NO_MARK, id);
    },

    /** Remembers the version and a user's marks, as Redis holds them. They also end sessions that were never seen here. */
    learn([name]: UserNames, version: string | null, texts: readonly (string | null)[]): void {
      everyoneUntil = Math.max(everyoneUntil, Number(version ?? 0) || 0);
      const endings = texts.flatMap((text) => (text === null ? [] : endingsOf(parseMark(text))));
      if (endings.length === 0) return;
      const mark = endings.reduce(
        (sum, [at, except]) => withEnding(sum, at, except),
        marks.get(name) ?? NO_MARK,
      );
      marks.set(name, mark, platform.now() + MARK_MS);
    },

    /**
     * Remembers evidence until the token expires, and an absent record for `isolateMaxAgeMs`. An absent record of a session
     * whose write may still be pending is not remembered.
     */
    add(claims: SessionClaims, by: EndedBy): void {
      const now = platform.now();
      if (by === "evidence") {
        known.set(claims.id, by, claims.expiresAt);
        return;
      }
      const mayBePending =
        claims.offline || (claims.syncToken !== null && now - claims.confirmedAt < SYNC_WINDOW_MS);
      if (!mayBePending && isolateMaxAgeMs > 0) known.set(claims.id, by, now + isolateMaxAgeMs);
    },
  };
}

export type KnownEnds = ReturnType<typeof createKnownEnds>;
