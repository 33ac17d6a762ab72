import { describe, expect, it } from "vitest";
import { clientAddress } from "../../../src/identity/address.ts";
import { createIdentifier } from "../../../src/identity/caller-hash.ts";
import { testPlatform } from "../../support/platform.ts";

describe("a client's address", () => {
  it("comes from CF-Connecting-IP, and X-Forwarded-For is never one", () => {
    const headers = new Headers({ "x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.2" });
    expect(clientAddress(headers)).toBe("unknown");
    headers.set("cf-connecting-ip", "203.0.113.7");
    expect(clientAddress(headers)).toBe("203.0.113.7");
  });

  /** Cloudflare's "Pseudo IPv4: overwrite headers" puts an address of class E before servers that know IPv4 alone. */
  it.each([
    ["240.16.0.1", "2001:db8:7:42::1", "2001:db8:7:42::/64"],
    ["250.254.253.252", "2001:db8::1", "2001:db8:0:0::/64"],
    ["240.16.0.1", null, "240.16.0.1"],
    // Of any other address a client says this itself.
    ["239.1.2.3", "2001:db8:7:42::1", "239.1.2.3"],
    ["24.1.2.3", "2001:db8:7:42::1", "24.1.2.3"],
    ["2400:cb00::1", "2001:db8:7:42::1", "2400:cb00:0:0::/64"],
    [null, "2001:db8:7:42::1", "unknown"],
  ])("of %s beside CF-Connecting-IPv6 %s is %s", (address, real, expected) => {
    const headers = new Headers();
    if (address) headers.set("cf-connecting-ip", address);
    if (real) headers.set("cf-connecting-ipv6", real);
    expect(clientAddress(headers)).toBe(expected);
  });
});

describe("a caller's hash", () => {
  const store = { url: "https://s.example", token: "token" };

  it("is 128 bits, the same in every isolate, and differs by kind and by secret", async () => {
    const platform = testPlatform();
    const one = createIdentifier({ identitySecrets: [], store }, platform);
    const other = createIdentifier({ identitySecrets: [], store }, platform);
    const keyed = createIdentifier({ identitySecrets: ["another-secret-123"], store }, platform);
    const hash = await one.hash("user", "user_123");
    expect(hash).toMatch(/^[0-9a-f]{32}$/);
    expect(await other.hash("user", "user_123")).toBe(hash);
    expect(await one.hash("address", "user_123")).not.toBe(hash);
    expect(await keyed.hash("user", "user_123")).not.toBe(hash);
  });
});
