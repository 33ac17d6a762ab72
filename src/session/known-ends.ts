import type { SessionClaims } from "../identity/session-token.ts";
import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";

/**
 * How it is known that a session is over.
 *
 * - `evidence`: Redis holds its tombstone, or a mark that ends it. Nothing brings it back.
 * - `absent`: Redis has no record of it. A replica that lags, or a write that is still on its way, looks the same.
 */
export type EndedBy = "evidence" | "absent";

export interface KnownEndsOptions {
  platform: Pick<Platform, "now">;
  /** How long an absent record counts, ms: `ISOLATE_MAX_AGE_MS`. */
  isolateMaxAgeMs: number;
  /** Most sessions. Default 20000. */
  entries?: number;
}

/** A session made or renewed this recently may not have reached the replica that was asked, ms. */
const SYNC_WINDOW_MS = 60_000;

/**
 * Sessions that Redis said are over, so that an isolate that was told once still knows it when Redis is gone, and does not
 * ask again. Bounded: where it is full the oldest is forgotten, and Redis is asked as for any other.
 */
export function createKnownEnds({ platform, isolateMaxAgeMs, entries = 20_000 }: KnownEndsOptions) {
  const known = new BoundedMap<EndedBy>({ platform, entries, whenFull: "evict" });

  return {
    get size(): number {
      return known.size;
    },

    has: (id: string): boolean => known.get(id) !== undefined,

    /** Evidence is kept to the token's end; absence for a moment, and never for a session that may be on its way. */
    add(claims: SessionClaims, by: EndedBy): void {
      const now = platform.now();
      if (by === "evidence") {
        known.set(claims.id, by, claims.expiresAt);
        return;
      }
      const underWay =
        claims.offline || (claims.syncToken !== null && now - claims.confirmedAt < SYNC_WINDOW_MS);
      if (!underWay && isolateMaxAgeMs > 0) known.set(claims.id, by, now + isolateMaxAgeMs);
    },
  };
}

export type KnownEnds = ReturnType<typeof createKnownEnds>;
