import { describe, expect, it } from "vitest";
import { readUrl } from "../../../src/config/read-url.ts";
import { variables } from "../../../src/config/variables-table.ts";

/** What is said of a value, or null where it is an address. */
function saidOf(value: unknown, query?: boolean): string | null {
  let said: string | null = null;
  const note = (found: string) => {
    said = found;
  };
  readUrl(value, note, query);
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

describe("an address that may have a query", () => {
  const KEYS = "https://login.example/tenant/discovery/v2.0/keys";
  it.each([`${KEYS}?appid=1b2c`, `${KEYS}?p=B2C_1_signin&x=%2F`, `${KEYS}?`, KEYS])("%s keeps it", (text) => {
    expect(saidOf(text, true)).toBeNull();
    expect(readUrl(text, () => {}, true)?.href).toBe(text);
  });

  it.each([`https://user:pass@login.example/keys?a=1`, `${KEYS}?a=1#b`])("%s is none", (text) => {
    expect(saidOf(text, true)).toBe("an address with user or fragment");
  });

  it("is that of a key set, and no other", () => {
    const urls = Object.entries(variables).filter(([, { kind }]) => kind === "url");
    expect(urls.filter(([, variable]) => "query" in variable).map(([name]) => name)).toEqual([
      "JWT_JWKS_URL",
    ]);
  });
});
