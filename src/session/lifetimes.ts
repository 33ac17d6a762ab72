import { MAX_ABSOLUTE_SECONDS } from "../config/variables-table.ts";

/** A tombstone outlives every token of its session by this, ms. */
export const TOMBSTONE_MARGIN_MS = 60_000;
/**
 * How long a mark and the version hold, ms: longer than any `SESSION_ABSOLUTE_SECONDS`. Where that was lowered, an ending that
 * was written then also covers the sessions of before, should it be raised again.
 */
export const MARK_LIFETIME_MS = MAX_ABSOLUTE_SECONDS * 1000 + TOMBSTONE_MARGIN_MS;
