import { describe, expect, it } from "vitest";
import { readUrl } from "../../../src/config/read-url.ts";

/** What is said of a value, or null where it is an address. */
function saidOf(value: unknown): string | null {
  let said: string | null = null;
  readUrl(value, (found) => {
    said = found;
  });
  return said;
}

describe("an address that is none", () => {
  it.each([
    ["localhost:4000", '"localhost:4000"'],
    ["localhost", '"localhost"'],
    ["localhost:4000/v1", '"localhost:4000/v1"'],
    ["LOCALHOST:80", '"LOCALHOST:80"'],
    ["127.0.0.1:4000", '"127.0.0.1:4000"'],
    ["api.example.com", '"api.example.com"'],
    ["api.example.com:8443/base", '"api.example.com:8443/base"'],
    ["ftp://files.example.com", '"ftp://files.example.com"'],
  ])("is shown, so that whoever wrote it finds it: %s", (value, said) => {
    expect(saidOf(value)).toBe(said);
  });

  it.each([
    ["localhostAbC123secret", "a text of 21 characters"],
    ["localhost-secret", "a text of 16 characters"],
    ["api:12345", "a text of 9 characters"],
    ["AXXAASQgODMyMTkwYTctNmE", "a text of 23 characters"],
    ["user:pass@localhost:4000", "an address with a user in it"],
    ["http://user:pass@localhost:4000", "an address with user, query or fragment"],
  ])("is not shown where it may be a secret: %s", (value, said) => {
    expect(saidOf(value)).toBe(said);
  });

  it.each([undefined, "http://localhost:4000", " https://api.example.com/base "])(
    "%j has no issue",
    (value) => {
      expect(saidOf(value)).toBeNull();
    },
  );
});
