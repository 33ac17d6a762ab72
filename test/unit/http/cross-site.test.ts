import { describe, expect, it } from "vitest";
import { crossSiteRefusal, isOrigin, signInRefusal } from "../../../src/http/cross-site.ts";

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

const LISTED = ["https://app.example.org", "https://idp.example"];

describe("a sign-in", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["a program, which says nothing of itself", {}, true],
    ["Node's fetch", { "sec-fetch-mode": "cors" }, true],
    ["a page of ours", { origin: OURS, "sec-fetch-site": "same-origin" }, true],
    ["a page of ours, in an older browser", { origin: OURS }, true],
    ["our origin in capitals and with its port", { origin: "HTTPS://API.Example.com:443" }, true],
    ["a listed origin", { origin: "https://idp.example", "sec-fetch-site": "cross-site" }, true],
    ["what the user did", { "sec-fetch-site": "none", "sec-fetch-mode": "navigate" }, true],
    ["another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, false],
    ["another site, in an older browser", { origin: "https://evil.example" }, false],
    ["another site that says only that", { "sec-fetch-site": "cross-site" }, false],
    ["a sibling host", { origin: "https://www.example.com", "sec-fetch-site": "same-site" }, false],
    ["a sibling host that says only that", { "sec-fetch-site": "same-site" }, false],
    ["a sandboxed frame or a redirect", { origin: "null", "sec-fetch-site": "cross-site" }, false],
    ["Origin: null alone", { origin: "null" }, false],
    ["an empty Origin", { origin: "" }, false],
    ["another port", { origin: "https://api.example.com:8443" }, false],
    ["another scheme", { origin: "http://api.example.com" }, false],
    ["a name that ours begins", { origin: "https://api.example.com.evil.example" }, false],
    ["a user in the authority", { origin: "https://api.example.com@evil.example" }, false],
    ["several origins", { origin: `${OURS}, https://evil.example` }, false],
    ["several origins in one", { origin: `${OURS} https://evil.example` }, false],
    ["an address with a path", { origin: `${OURS}/evil` }, false],
    ["a site that nobody knows", { "sec-fetch-site": "same-planet" }, false],
  ])("from %s", (_, headers, passes) => {
    const request = new Request(`${OURS}/login`, { method: "POST", headers });
    expect(signInRefusal(request, OURS, LISTED)?.facts.code ?? null).toBe(
      passes ? null : "CROSS_SITE_REQUEST",
    );
  });
});

it.each<[string, boolean]>([
  ["https://idp.example", true],
  ["https://idp.example:8443", true],
  ["http://localhost:3000", true],
  ["https://idp.example:443", false],
  ["https://idp.example/", false],
  ["https://IDP.example", false],
  ["idp.example", false],
  ["null", false],
  ["*", false],
  ["https://*.example", true],
  ["ftp://idp.example", false],
  ["", false],
])("%j is an origin as browsers send it: %s", (text, expected) => {
  expect(isOrigin(text)).toBe(expected);
});
