import { describe, expect, it } from "vitest";
import {
  isoTime,
  jsonTooLarge,
  parseRecord,
  publicRecord,
  timeOf,
  USER_DATA_BYTES,
} from "../../../src/session/record.ts";
import { NOW } from "../../support/session-samples.ts";

/** A record of the Python service: `json.dumps` of its dataclass. */
const ORIGINAL =
  '{"session_id": "3f1b", "user_id": "user_123", "user_data": {"plan": "free"}, "device_info": {"os": "x"},' +
  ' "ip_address": "192.168.1.1", "created_at": "2026-01-15T12:00:30.123456+00:00",' +
  ' "last_active": "2026-01-15T12:00:31+00:00", "expires_at": "2026-01-16T12:00:30.123456+00:00"}';

describe("a record", () => {
  it("of the original service is parsed, with times in milliseconds", () => {
    const record = parseRecord(ORIGINAL);
    expect(record).toMatchObject({ user_id: "user_123", user_data: { plan: "free" }, tier: null });
    expect(timeOf(String(record?.created_at))).toBe(NOW + 123);
    expect(timeOf(String(record?.last_active))).toBe(NOW + 1000);
  });

  it("keeps fields that the edge does not know", () => {
    const text = ORIGINAL.replace("{", '{"mfa": {"at": 7}, ');
    expect(parseRecord(text)).toMatchObject({ mfa: { at: 7 } });
  });

  it("has times in the format of Python's isoformat", () => {
    expect(isoTime(NOW)).toBe("2026-01-15T12:00:30.000000+00:00");
    expect(isoTime(NOW + 7)).toBe("2026-01-15T12:00:30.007000+00:00");
    expect(timeOf(isoTime(NOW + 7))).toBe(NOW + 7);
  });

  it.each(["", "null", "[]", "{}", '{"session_id":1}', "{", '"text"'])("is not parsed from %j", (text) => {
    expect(parseRecord(text)).toBeNull();
  });

  it("shows clients every field except the user data", () => {
    const record = parseRecord(ORIGINAL);
    expect(record && Object.keys(publicRecord(record)).sort()).toEqual([
      "created_at",
      "device_info",
      "expires_at",
      "ip_address",
      "last_active",
      "session_id",
      "user_id",
    ]);
  });

  it("measures user data in bytes: 16 KiB fit, one more does not", () => {
    expect(jsonTooLarge("x".repeat(16 * 1024 - 2), USER_DATA_BYTES)).toBe(false);
    expect(jsonTooLarge("x".repeat(16 * 1024 - 1), USER_DATA_BYTES)).toBe(true);
    expect(jsonTooLarge("é".repeat(8 * 1024 - 1), USER_DATA_BYTES)).toBe(false);
    expect(jsonTooLarge("é".repeat(8 * 1024), USER_DATA_BYTES)).toBe(true);
  });
});
