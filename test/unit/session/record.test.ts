import { describe, expect, it } from "vitest";
import { JsonText, stringify } from "../../../src/runtime/json-text.ts";
import {
  changedRecord,
  copyOf,
  givenJson,
  isoTime,
  jsonTooLarge,
  parseRecord,
  publicRecord,
  timeOf,
  USER_DATA_BYTES,
  userDataOf,
} from "../../../src/session/record.ts";
import { DEEP, DEEP_JSON } from "../../support/deep-json.ts";
import { ODD_RECORDS, oddRecord } from "../../support/odd-records.ts";
import { NOW } from "../../support/session-samples.ts";

/** A record of the Python service: `json.dumps` of its dataclass. */
const ORIGINAL =
  '{"session_id": "3f1b", "user_id": "user_123", "user_data": {"plan": "free"}, "device_info": {"os": "x"},' +
  ' "ip_address": "192.168.1.1", "created_at": "2026-01-15T12:00:30.123456+00:00",' +
  ' "last_active": "2026-01-15T12:00:31+00:00", "expires_at": "2026-01-16T12:00:30.123456+00:00"}';

describe("a record", () => {
  it("of the original service is parsed, with times in milliseconds", () => {
    const record = parseRecord(ORIGINAL)?.record;
    expect(record).toMatchObject({ user_id: "user_123", user_data: { plan: "free" }, tier: null });
    expect(timeOf(String(record?.created_at))).toBe(NOW + 123);
    expect(timeOf(String(record?.last_active))).toBe(NOW + 1000);
  });

  it("keeps fields that the edge does not know", () => {
    const text = ORIGINAL.replace("{", '{"mfa": {"at": 7}, ');
    expect(parseRecord(text)?.record).toMatchObject({ mfa: { at: 7 } });
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

  it("shows device_info as it is written, and null where that is no JSON", () => {
    const shown = (json: string) => {
      const kept = parseRecord(ORIGINAL.replace('{"os": "x"}', json));
      return kept && stringify(publicRecord(kept).device_info);
    };
    for (const json of ['{"build": 12345678901234567890, "v": 1.0}', "[]", "null", '"\\ud800"'])
      expect(shown(json)).toBe(json);
    expect(shown('{"v": NaN}')).toBe("null");
  });

  it.each(ODD_RECORDS)("with %s is changed only where it is changed", (name) => {
    const times = { id: "old", userId: "ada", createdAt: NOW, expiresAt: NOW + 3_600_000 };
    const kept = parseRecord(oddRecord(name, times, NOW));
    if (!kept) throw new Error("it is a record");
    expect(kept.record).toMatchObject({ session_id: "old", user_id: "ada", last_active: isoTime(NOW) });
    const changed = changedRecord(kept, { session_id: "new", last_active: isoTime(NOW + 1) });
    expect(changed.text).toBe(oddRecord(name, { ...times, id: "new" }, NOW + 1));
    expect(parseRecord(changed.text)).toEqual(changed);
  });

  it.each(ODD_RECORDS)("with %s is copied as it reads", (name) => {
    const times = { id: "old", userId: "ada", createdAt: NOW, expiresAt: NOW + 3_600_000 };
    const kept = parseRecord(oddRecord(name, times, NOW));
    if (!kept) throw new Error("it is a record");
    const copy = copyOf(kept);
    expect(copy).toEqual(kept.record);
    copy.user_id = "eve";
    if (typeof copy.user_data === "object" && copy.user_data) Object.assign(copy.user_data, { more: 1 });
    expect(kept.record, "which is not changed with its copy").toEqual(parseRecord(kept.text)?.record);
  });

  it.each(Object.entries(DEEP_JSON))("with %s is copied at any depth", (_, json) => {
    const kept = parseRecord(ORIGINAL.replace('{"plan": "free"}', json(DEEP)));
    if (!kept) throw new Error("it is a record");
    const copy = copyOf(kept);
    expect([copy.user_id, copy.user_data === kept.record.user_data]).toEqual(["user_123", false]);
  });

  it.each([
    [undefined, "{}"],
    [null, "null"],
    [0, "0"],
    [[], "[]"],
    ["text", '"text"'],
    [new JsonText('{"a": 1.0}'), '{"a": 1.0}'],
  ])("is given %j as its user data", (value, json) => {
    const kept = parseRecord(ORIGINAL.replace('{"plan": "free"}', givenJson(value).text));
    expect(kept && userDataOf(kept).text).toBe(json);
    expect(kept?.record.user_data).toEqual(JSON.parse(json));
  });

  it("measures user data in bytes: 16 KiB fit, one more does not", () => {
    const tooLarge = (text: string) => jsonTooLarge(new JsonText(JSON.stringify(text)), USER_DATA_BYTES);
    expect(tooLarge("x".repeat(16 * 1024 - 2))).toBe(false);
    expect(tooLarge("x".repeat(16 * 1024 - 1))).toBe(true);
    expect(tooLarge("é".repeat(8 * 1024 - 1))).toBe(false);
    expect(tooLarge("é".repeat(8 * 1024))).toBe(true);
  });
});
