import { expect, it } from "vitest";
import { isFieldName, laxName } from "../../../src/http/field-name.ts";

it.each([
  ["X-User-Id", "x-user-id"],
  ["x_user_id", "x-user-id"],
  ["x.user~id", "x-user-id"],
  ["x-user-id", "x-user-id"],
])("an origin may read %s as %s", (name, lax) => {
  expect(laxName(name)).toBe(lax);
});

it.each<[name: string, is: boolean]>([
  ["x-hop", true],
  ["x_hop!", true],
  ["", false],
  ["x hop", false],
  ["x:hop", false],
])("%j is a field name: %s", (name, is) => {
  expect(isFieldName(name)).toBe(is);
});
