import { describe, expect, it } from "vitest";
import { crossSiteRefusal } from "../../../src/http/cross-site.ts";

const OURS = "https://api.example.com";
const refused = (method: string, headers: Record<string, string>) =>
  crossSiteRefusal(new Request(`${OURS}/x`, { method, headers }), OURS, ["https://app.example.org"])?.facts
    .status ?? null;

describe("a request that a cookie vouches for", () => {
  it.each(["GET", "HEAD", "OPTIONS"])("may come from anywhere with %s: it changes nothing", (method) => {
    expect(refused(method, { origin: "https://evil.example" })).toBeNull();
  });

  it.each(["POST", "PUT", "PATCH", "DELETE"])("%s must come from a page of ours", (method) => {
    expect(refused(method, { "sec-fetch-site": "same-origin" })).toBeNull();
    expect(refused(method, { origin: OURS })).toBeNull();
    expect(refused(method, { origin: "https://app.example.org", "sec-fetch-site": "cross-site" })).toBeNull();
    expect(refused(method, {}), "nothing says where it comes from").toBe(403);
    expect(refused(method, { origin: "null" })).toBe(403);
    expect(refused(method, { origin: "https://evil.example" })).toBe(403);
    expect(refused(method, { origin: "https://api.example.com.evil.example" })).toBe(403);
    expect(refused(method, { origin: "http://api.example.com" }), "another scheme is another origin").toBe(
      403,
    );
    for (const site of ["same-site", "cross-site", "none"])
      expect(refused(method, { "sec-fetch-site": site }), site).toBe(403);
  });

  it("may not open a WebSocket from elsewhere", () => {
    const upgrade = { upgrade: "websocket" };
    expect(refused("GET", { ...upgrade, origin: "https://evil.example" })).toBe(403);
    expect(refused("GET", { ...upgrade, origin: OURS })).toBeNull();
  });
});
