import * as z from "zod/mini";

/**
 * A session as Redis stores it. It has the fields and formats of the original Python service, so that both can read it.
 * Fields that the edge does not know stay in it.
 */
export interface SessionRecord {
  session_id: string;
  user_id: string;
  /** Any JSON. */
  user_data: unknown;
  device_info: unknown;
  ip_address: string | null;
  /** ISO 8601 with microseconds and `+00:00`, as Python's `isoformat` writes it. */
  created_at: string;
  last_active: string;
  expires_at: string;
  tier: string | null;
  [unknown: string]: unknown;
}

const stored = z.looseObject({
  session_id: z.string(),
  user_id: z.string(),
  user_data: z.optional(z.unknown()),
  device_info: z.optional(z.unknown()),
  ip_address: z.optional(z.nullable(z.string())),
  created_at: z.string(),
  last_active: z.string(),
  expires_at: z.string(),
  tier: z.optional(z.nullable(z.string())),
});

/** Parses a stored text. @returns null when it is not a record. */
export function parseRecord(text: string): SessionRecord | null {
  try {
    const parsed = z.safeParse(stored, JSON.parse(text));
    if (!parsed.success) return null;
    const { user_data, device_info, ip_address, tier } = parsed.data;
    return {
      ...parsed.data,
      user_data: user_data ?? {},
      device_info: device_info ?? {},
      ip_address: ip_address ?? null,
      tier: tier ?? null,
    };
  } catch {
    return null;
  }
}

/** Formats milliseconds since the epoch as the original service does. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.(\d{3})Z$/, ".$1000+00:00");
}

/** A time of a record in ms since the epoch, or 0 where it is malformed: such a session counts as idle for too long. */
export function timeOf(text: string): number {
  const at = Date.parse(text.replace(/(\.\d{3})\d+/, "$1"));
  return Number.isNaN(at) ? 0 : at;
}

/** The fields of a record that clients get. As in the original service, `user_data` is not among them. */
export function publicRecord(record: SessionRecord) {
  const { session_id, user_id, created_at, last_active, expires_at, device_info, ip_address } = record;
  return { session_id, user_id, created_at, last_active, expires_at, device_info, ip_address };
}

/** Maximum size of `user_data`, bytes of JSON. */
export const USER_DATA_BYTES = 16 * 1024;
/** Maximum size of `device_info`, bytes of JSON. */
export const DEVICE_INFO_BYTES = 4 * 1024;

/** Whether a value has more than `max` bytes as JSON. */
export function jsonTooLarge(value: unknown, max: number): boolean {
  return new TextEncoder().encode(JSON.stringify(value ?? {})).length > max;
}
