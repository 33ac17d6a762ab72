import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { KeptSession } from "./record.ts";

const MAX_SEEN = 10_000;
const SEEN_BYTES = 8 * 1024 * 1024;

/** A record that Redis has confirmed, and when, ms since the epoch. */
export interface Confirmation extends KeptSession {
  confirmedAt: number;
}

export type Confirmations = BoundedMap<Confirmation>;

/** The records that this isolate remembers, by session id. */
export function createConfirmations(platform: Pick<Platform, "now">): Confirmations {
  return new BoundedMap<Confirmation>({
    platform,
    entries: MAX_SEEN,
    bytes: SEEN_BYTES,
    sizeOf: ({ text }, id) => 2 * text.length + id.length,
    whenFull: "evict",
  });
}
