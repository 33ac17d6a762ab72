import { expect, it } from "vitest";
import { JsonText } from "../../../src/runtime/json-text.ts";
import { parseSessionSignal } from "../../../src/session/origin-signal.ts";

const signal = (value: unknown) => {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
};

it("parses a signal with text in any script", () => {
  const said = { user_id: "Ärger", tier: "premium", user_data: { a: 1 }, device_info: {}, carry: "bearer" };
  const [userData, deviceInfo] = [new JsonText('{"a":1}'), new JsonText("{}")];
  const read = { userId: "Ärger", tier: "premium", userData, deviceInfo, carry: "bearer" };
  expect(parseSessionSignal(signal(said))).toEqual(read);
});

it("has defaults for absent properties", () => {
  expect(parseSessionSignal(signal({ user_id: "u" }))).toEqual({
    userId: "u",
    tier: null,
    userData: new JsonText("{}"),
    deviceInfo: new JsonText("{}"),
    carry: "cookie",
  });
});

it.each([
  "",
  "%%%",
  "bm90IGpzb24",
  signal({}),
  '{"user_id":"\ufffdrger"}',
  btoa('{"user_id":"\xc4rger"}'),
  signal({ user_id: "" }),
  signal({ user_id: 7 }),
  signal({ user_id: "x".repeat(257) }),
  signal({ user_id: "u\ud800" }),
  signal({ user_id: "u", tier: "x".repeat(65) }),
  signal({ user_id: "u", tier: "\udc00" }),
  signal({ user_id: "u", device_info: "x".repeat(4 * 1024) }),
  signal({ user_id: "u", carry: "pigeon" }),
  signal({ user_id: "u", user_data: "x".repeat(16 * 1024) }),
])("refuses %.40s", (text) => {
  expect(parseSessionSignal(text)).toBeNull();
});
