import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

describe("ALLOW_LIST and DENY_LIST", () => {
  it("are read when the configuration is", () => {
    const { lists } = loadConfig(
      { DENY_LIST: `192.0.2.0/24, user:u 1, key:${"a".repeat(32)}`, ALLOW_LIST: "2001:db8::/32" },
      [],
    );
    expect([...lists.deny.users]).toEqual(["u 1"]);
    expect([...lists.deny.keys]).toEqual(["a".repeat(32)]);
    expect(lists.deny.ranges).toHaveLength(1);
    expect(lists.allow.ranges).toMatchObject([{ bits: 32 }]);
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0.0/",
    "1.2.3",
    "key:abc",
    "user:",
    "user: 42",
    "user:\u00a042",
    "2001:db8::1/128",
    "192.0.2.1 192.0.2.2",
    "*",
    "office.example.com",
    "10.0.0.1,,10.0.0.2",
  ])("refuse %j, and say what to write", (text) => {
    for (const name of ["ALLOW_LIST", "DENY_LIST"]) {
      const issues = configIssues({ [name]: text });
      expect(issues).toHaveLength(1);
      expect(issues[0]?.place).toMatch(new RegExp(`^${name}\\[[01]\\]$`));
    }
  });

  it.each([
    "key:live_4f9a8b7c6d5e4f3a",
    "key:short",
    `key:${"A".repeat(32)}`,
    "live_4f9a8b7c6d5e4f3a2b1c",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlc2ln",
  ])("say nothing of %j, which may be a key in the place of its hash", (text) => {
    const [issue] = configIssues({ DENY_LIST: text });
    expect(issue?.found).toBe(`a text of ${text.length} characters`);
    expect(JSON.stringify(issue)).not.toContain(text.replace(/^key:/, ""));
  });

  const hash = `key:${"a".repeat(32)}`;
  it.each<[env: Record<string, string>, warned: boolean]>([
    [{ DENY_LIST: hash }, true],
    [{ ALLOW_LIST: `192.0.2.7,${hash}` }, true],
    [{ DENY_LIST: hash, IDENTITY_SECRET: "i".repeat(32) }, false],
    [{ DENY_LIST: "192.0.2.7,user:key:a" }, false],
    [{}, false],
  ])("warn in %j of hashes that follow from the store's token: %s", (env, warned) => {
    const { warnings } = loadConfig(env, []);
    expect(warnings.some((warning) => warning.startsWith("IDENTITY_SECRET is not set"))).toBe(warned);
  });
});
