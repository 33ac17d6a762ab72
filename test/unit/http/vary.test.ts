import { expect, it } from "vitest";
import { addVary } from "../../../src/http/vary.ts";

it.each<[string | null, string[], string | null]>([
  [null, ["Authorization", "Cookie"], "Authorization, Cookie"],
  ["Accept", ["Cookie"], "Accept, Cookie"],
  ["accept,COOKIE", ["Cookie", "Authorization"], "accept, COOKIE, Authorization"],
  ["cookie", ["Cookie"], "cookie"],
  ["*", ["Cookie"], "*"],
  ["Accept, *", ["Cookie"], "Accept, *"],
  ["", ["Cookie"], "Cookie"],
  [", ,Accept,", ["Cookie"], "Accept, Cookie"],
  ["X-Cookie", ["Cookie"], "X-Cookie, Cookie"],
  [null, [], null],
])("Vary: %j and %j is %j", (before, names, after) => {
  const headers = new Headers(before === null ? {} : { vary: before });
  addVary(headers, names);
  expect(headers.get("vary")).toBe(after);
});
