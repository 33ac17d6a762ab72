import { describe, expect, it } from "vitest";
import { clientAddress, normaliseAddress } from "../../../src/identity/address.ts";
import { createIdentifier } from "../../../src/identity/caller-hash.ts";
import { testPlatform } from "../../support/platform.ts";

describe("an address is counted as one caller", () => {
  const cases: [written: string, counted: string | null][] = [
    ["203.0.113.7", "203.0.113.7"],
    ["::ffff:203.0.113.7", "203.0.113.7"],
    ["::ffff:cb00:7107", "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2:ffff::9", "2001:db8:1:2::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["256.1.1.1", null],
    ["1.2.3", null],
    ["01.2.3.4", null],
    ["1:2:3:4:5:6:7", null],
    ["1::2::3", null],
    ["12345::", null],
    ["not an address", null],
    ["", null],
  ];
  it.each(cases)("%s is %s", (written, counted) => {
    expect(normaliseAddress(written)).toBe(counted);
  });

  it("and X-Forwarded-For is never one", () => {
    const headers = new Headers({ "x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.2" });
    expect(clientAddress(headers)).toBe("unknown");
    headers.set("cf-connecting-ip", "203.0.113.7");
    expect(clientAddress(headers)).toBe("203.0.113.7");
  });
});

describe("a caller's hash", () => {
  const store = { url: "https://s.example", token: "token" };

  it("is 128 bits, the same in every isolate, and differs by kind and by secret", async () => {
    const platform = testPlatform();
    const one = createIdentifier({ identitySecret: null, store }, platform);
    const other = createIdentifier({ identitySecret: null, store }, platform);
    const keyed = createIdentifier({ identitySecret: "another-secret-123", store }, platform);
    const hash = await one.hash("user", "user_123");
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(await other.hash("user", "user_123")).toBe(hash);
    expect(await one.hash("address", "user_123")).not.toBe(hash);
    expect(await keyed.hash("user", "user_123")).not.toBe(hash);
  });
});
