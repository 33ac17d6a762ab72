import { expect, test } from "vitest";
import { type KeySignal, parseKeySignal } from "../../../src/identity/key-signal.ts";

const accepted = (userId: string | null, tier: string | null = null): KeySignal => ({
  kind: "accepted",
  userId,
  tier,
});
const base64url = (text: string) => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

test.each<[text: string, signal: KeySignal | null]>([
  ['{"user_id":"ada","tier":"premium"}', accepted("ada", "premium")],
  ['{"user_id":"ada"}', accepted("ada")],
  [' {"tier":"premium"} ', accepted(null, "premium")],
  ["{}", accepted(null)],
  ['{"user_id":null,"tier":null}', accepted(null)],
  [base64url('{"user_id":"ada>?","tier":"premium"}'), accepted("ada>?", "premium")],
  [base64url("null"), { kind: "ended" }],
  ["null", { kind: "ended" }],
  ["", null],
  ["not json", null],
  ["[]", null],
  ["true", null],
  ['{"user_id":7}', null],
  ['{"user_id":"\\ud800"}', null],
])("%j", (text, signal) => {
  expect(parseKeySignal(text)).toEqual(signal);
});

test.each<[text: string, signal: KeySignal | null]>([
  [
    JSON.stringify({ user_id: "u".repeat(256), tier: "t".repeat(64) }),
    accepted("u".repeat(256), "t".repeat(64)),
  ],
  [JSON.stringify({ user_id: "u".repeat(257) }), null],
  [JSON.stringify({ tier: "t".repeat(65) }), null],
  ['{"user_id":""}', null],
  ['{"tier":""}', accepted(null)],
  ['{"user_id":"ada","scope":["a"]}', accepted("ada")],
])("of a length that an isolate can keep: %#", (text, signal) => {
  expect(parseKeySignal(text)).toEqual(signal);
});
