import * as z from "zod/mini";
import { JsonText, memberText, readMembers, stringify, withMembers } from "../runtime/json-text.ts";

/** The fields that the edge writes: those of the original Python service in its formats, so that both can read them. */
export interface SessionFields {
  /** The session's id, as in {@link SessionClaims.id}. */
  session_id: string;
  /** The user's id. */
  user_id: string;
  /** Any JSON. Numbers are JavaScript's: {@link KeptSession.text} has them as they were written. */
  user_data: unknown;
  /** Any JSON, likewise. */
  device_info: unknown;
  /** The address from which it was started, or null. */
  ip_address: string | null;
  /** When it was created: ISO 8601 with microseconds and `+00:00`, as Python's `isoformat` writes it. */
  created_at: string;
  /** When it was last used, in the same form; written at most once a minute. */
  last_active: string;
  /** Its absolute end, in the same form. */
  expires_at: string;
  /** The user's tier, or null. */
  tier: string | null;
}

/** A session as Redis stores it, with whatever else others have written into it. */
export interface SessionRecord extends SessionFields {
  /** What others have written into the record. */
  [unknown: string]: unknown;
}

/** A record as text and as it reads. What is written anew is the text with other values of some members, and nothing else. */
export interface KeptSession {
  /** The record as it reads. */
  readonly record: SessionRecord;
  /** The JSON, as it is stored. An update replaces exactly this text or does nothing. */
  readonly text: string;
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

/** Reads a stored text. @returns null when it is not a record. */
export function parseRecord(text: string): KeptSession | null {
  const parsed = z.safeParse(stored, readMembers(text));
  if (!parsed.success) return null;
  const { user_data = {}, device_info = {}, ip_address = null, tier = null } = parsed.data;
  return { record: { ...parsed.data, user_data, device_info, ip_address, tier }, text };
}

/**
 * A copy of a record, which whoever gets it may change. It is read anew from its text: `structuredClone` throws for what is nested
 * some thousand times, which 16 KiB of `user_data` may be, and `JSON.parse` takes any depth.
 */
export function copyOf(kept: KeptSession): SessionRecord {
  return parseRecord(kept.text)?.record ?? kept.record;
}

/** A new session's record. The text has `user_data` and `device_info` as they were given. */
export function newRecord(
  fields: SessionFields & { user_data: JsonText; device_info: JsonText },
): KeptSession {
  const { user_data, device_info } = fields;
  return {
    record: { ...fields, user_data: user_data.value, device_info: device_info.value },
    text: stringify(fields),
  };
}

/** The record with other values of these members; every other byte of its text stays. */
export function changedRecord(
  { record, text }: KeptSession,
  values: Partial<Pick<SessionRecord, "session_id" | "last_active">>,
): KeptSession {
  const written = Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]);
  return { record: { ...record, ...values }, text: withMembers(text, Object.fromEntries(written)) };
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

/** `user_data` as it is written. */
export function userDataOf({ text }: KeptSession): JsonText {
  return givenMember(text, "user_data");
}

/** A member of an object as it is written. Absent it is `{}`. */
export function givenMember(json: string, name: "user_data" | "device_info"): JsonText {
  return new JsonText(memberText(json, name) ?? "{}");
}

/** The fields of a record that clients get. As in the original service, `user_data` is not among them. */
export function publicRecord({ record, text }: KeptSession) {
  const { session_id, user_id, created_at, last_active, expires_at, ip_address } = record;
  const written = givenMember(text, "device_info");
  const device_info = written.value === undefined ? null : written;
  return { session_id, user_id, created_at, last_active, expires_at, device_info, ip_address };
}

/** Maximum size of `user_data`, bytes of JSON. */
export const USER_DATA_BYTES = 16 * 1024;
/** Maximum size of `device_info`, bytes of JSON. */
export const DEVICE_INFO_BYTES = 4 * 1024;

/** What a session is given as `user_data` or `device_info`: JSON as it was written, or a value. Absent it is `{}`. */
export function givenJson(value: unknown): JsonText {
  return value instanceof JsonText ? value : new JsonText(JSON.stringify(value) ?? "{}");
}

/** Whether JSON has more than `max` bytes. */
export function jsonTooLarge({ text }: JsonText, max: number): boolean {
  return new TextEncoder().encode(text).length > max;
}
