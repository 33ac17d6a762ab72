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
