import type { Looked } from "./d1-session-store.ts";

/** What is stored of a session. */
export interface Stored {
  /** What stands at `sessionKeys`, in their order; more marks may follow. */
  texts: readonly (string | null)[];
  /** What stands at `unmovedKeys`. */
  before: readonly (string | null)[];
  /** `copy`: Redis answers and has lost the record, which the database has. `database`: Redis does not answer, or has none. */
  from: "redis" | "copy" | "database";
}

/** What the database has. */
export function inDatabase({ kept, tombstone, marks, before }: Looked): Stored {
  return { texts: [kept?.text ?? null, tombstone, null, ...marks], before, from: "database" };
}

/** What both have: Redis' record, or else the database's, and what ends the session in either. */
export function inBoth(redis: Pick<Stored, "texts" | "before">, looked: Looked | null): Stored {
  const [text = null, tombstone = null, version = null, ...marks] = redis.texts;
  const copy = looked?.kept?.text ?? null;
  return {
    texts: [
      text ?? copy,
      tombstone ?? looked?.tombstone ?? null,
      version,
      ...marks,
      ...(looked?.marks ?? []),
    ],
    before: redis.before.map((each, index) => each ?? looked?.before[index] ?? null),
    from: text === null && copy !== null ? "copy" : "redis",
  };
}
