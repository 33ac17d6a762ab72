import { isoTime } from "../../src/session/record.ts";

export interface OddRecord {
  id: string;
  userId: string;
  createdAt: number;
  expiresAt: number;
}

type Written = (times: {
  id: string;
  user: string;
  created: string;
  active: string;
  expires: string;
}) => string;

/**
 * Records as the Python service and other programs write them. `id` and `active` are JSON strings, quotes included, and
 * stand once each where they count: what a touch or a rotation writes is the same text with another one there.
 */
const written: Record<string, Written> = {
  "numbers beyond 2^53": (t) =>
    `{"session_id":${t.id},"user_id":${t.user},"user_data":{"discord":175928847299117063,"sub":106242075399214372653},"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "1.0, 1e400, -0 and exponents": (t) =>
    `{"session_id":${t.id},"user_id":${t.user},"user_data":[1.0,1e400,-0,1E+2,0.1e-7,12345678901234567.89],"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "user_data null": (t) =>
    `{"session_id":${t.id},"user_id":${t.user},"user_data":null,"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "no user_data, and Python's blanks": (t) =>
    `{"session_id": ${t.id}, "user_id": ${t.user}, "device_info": {"os": "x", "v": 10.0}, "ip_address": null, "created_at": ${t.created}, "last_active": ${t.active}, "expires_at": ${t.expires}}`,
  "empty lists and objects, which Lua confuses": (t) =>
    `{"session_id":${t.id},"user_id":${t.user},"user_data":{"roles":[],"flags":{}},"device_info":[],"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "members of these names inside others": (t) =>
    `{"user_data":{"last_active":"mine","session_id":"mine","deep":[{"last_active":1}]},"note":"\\"last_active\\":\\"x\\"","session_id":${t.id},"user_id":${t.user},"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "names that are written with escapes": (t) =>
    `{"session\\u005fid":${t.id},"user_id":${t.user},"user_\\u0064ata":{"a":1.50},"created_at":${t.created},"last\\u005factive":${t.active},"expires_at":${t.expires}}`,
  "one name twice: the last counts": (t) =>
    `{"session_id":"older","last_active":"2001-01-01T00:00:00+00:00","user_data":1,"session_id":${t.id},"user_id":${t.user},"created_at":${t.created},"user_data":2.0,"last_active":${t.active},"expires_at":${t.expires}}`,
  "unknown fields, and names that are numbers, in their order": (t) =>
    `{"z":1.0,"10":"b","9":"a","__proto__":{"x":1},"":[],"session_id":${t.id},"user_id":${t.user},"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires},"mfa":{"at":7.0}}`,
  "indented, with tabs and line ends": (t) =>
    `\r\n{\n\t"session_id" : ${t.id},\n\t"user_id"\t:${t.user},\n\t"user_data":\n\t\t[ 1 ,\t2.0 ],\n\t"created_at" : ${t.created} ,\n\t"last_active" : ${t.active} ,\n\t"expires_at" : ${t.expires}\n}\n`,
  "a byte order mark": (t) =>
    `\ufeff{"session_id":${t.id},"user_id":${t.user},"user_data":{},"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "lone surrogates, NUL and other scripts": (t) =>
    `{"session_id":${t.id},"user_id":${t.user},"user_data":{"lone":"\\ud800","nul":"a\\u0000b","text":"日本\\u8a9e é \\/"},"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
  "NaN and Infinity, as Python writes them": (t) =>
    `{"session_id": ${t.id}, "user_id": ${t.user}, "user_data": {"score": NaN, "max": -Infinity}, "created_at": ${t.created}, "last_active": ${t.active}, "expires_at": ${t.expires}}`,
  "brackets, quotes and backslashes in texts": (t) =>
    `{"user_data":"}],{\\"last_active\\":\\\\","session_id":${t.id},"user_id":${t.user},"a":["]","\\\\"],"created_at":${t.created},"last_active":${t.active},"expires_at":${t.expires}}`,
};

/**
 * The text of the record, with its activity at this time, ms since the epoch.
 *
 * @param name One of {@link ODD_RECORDS}.
 */
export function oddRecord(
  name: string,
  { id, userId, createdAt, expiresAt }: OddRecord,
  activeAt: number,
): string {
  const write = written[name];
  if (!write) throw new Error(`No odd record "${name}"`);
  return write({
    id: JSON.stringify(id),
    user: JSON.stringify(userId),
    created: JSON.stringify(isoTime(createdAt)),
    active: JSON.stringify(isoTime(activeAt)),
    expires: JSON.stringify(isoTime(expiresAt)),
  });
}

export const ODD_RECORDS = Object.keys(written);
