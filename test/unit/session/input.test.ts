import { expect, test } from "vitest";
import { isSessionId } from "../../../src/identity/session-id.ts";
import { isNameable } from "../../../src/session/input.ts";

test.each<[userId: string, nameable: boolean]>([
  ["", false],
  [".", false],
  ["..", false],
  ["...", true],
  ["%2e", true],
  ["%2E%2e", true],
  ["a/..", true],
  [" .", true],
  ["?x=1#y", true],
  ["ada", true],
])("a path can name the user %j: %s", (userId, nameable) => {
  expect(isNameable(userId)).toBe(nameable);
  const path = `/auth/sessions/users/${encodeURIComponent(userId)}`;
  const named = new URL(path, "https://edge.example").pathname === path && userId !== "";
  expect(named, "as the URL standard reads it").toBe(nameable);
});

test.each<[text: string, isId: boolean]>([
  ["A1b2C3d4E5f6G7h8I9j0K1l2M3", true],
  ["123e4567-e89b-42d3-a456-426614174000", true],
  ["version", false],
  [`index:${"a".repeat(32)}`, false],
  [`mark:${"a".repeat(32)}`, false],
  [`tombstone:${"a".repeat(22)}`, false],
  ["a".repeat(21), false],
  ["a".repeat(65), false],
  [`${"a".repeat(22)}\n`, false],
  [`${"a".repeat(22)}/..`, false],
  ["", false],
])("%j may be a session's id: %s", (text, isId) => {
  expect(isSessionId(text)).toBe(isId);
});
