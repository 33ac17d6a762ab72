import { describe, expect, it, test } from "vitest";
import { hostIn, isOnHost } from "../../../src/config/read-hosts.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { configIssues } from "../../support/config.ts";

test.each<[text: string, host: string | null]>([
  ["api.example.com", "api.example.com"],
  [" API.Example.COM. ", "api.example.com"],
  ["api.example.com:8443", "api.example.com:8443"],
  ["api.example.com.:8443", "api.example.com:8443"],
  ["api.example.com:443", "api.example.com"],
  ["localhost", "localhost"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["api_1.example", "api_1.example"],
  ["127.0.0.1:8787", "127.0.0.1:8787"],
  // A URL reads a port, a number of a version or an address in short as an address that nobody has asked.
  ["8080", null],
  ["0", null],
  ["10.0.1", null],
  ["010.0.0.1", null],
  ["0x7f.0.0.1", null],
  ["2130706433", null],
  ["10.0.0.1:8443", "10.0.0.1:8443"],
  ["https://api.example.com", null],
  ["api.example.com/", null],
  ["api.example.com/v1", null],
  ["api.example.com?x", null],
  ["api.example.com#x", null],
  ["me@api.example.com", null],
  ["*.example.com", null],
  ["a b.example", null],
  ["a,b", null],
  ["api.example.com:99999", null],
  ["api.example.com:", null],
  ["[::1]", null],
  ["%61pi.example", null],
  ["a\\b", null],
  ["..", null],
  [".", null],
  [".a", null],
  ["a..b", null],
  ["a..", null],
  ["", null],
])("the host in %j is %j", (text, host) => {
  expect(hostIn(text)).toBe(host);
});

describe("CONSOLE_HOST", () => {
  it.each([
    ["edge-console.example.com", "edge-console.example.com"],
    ["Edge-Console.Example.com.", "edge-console.example.com"],
    ["console.localhost", "console.localhost"],
    ["", null],
    ["  ", null],
  ])("%j is read as %j", (CONSOLE_HOST, host) => {
    expect(loadConfig({ CONSOLE_HOST }, []).consoleHost).toBe(host);
  });

  it.each<[what: string, env: Record<string, unknown>]>([
    ["a URL", { CONSOLE_HOST: "https://edge-console.example.com" }],
    ["a path", { CONSOLE_HOST: "edge-console.example.com/edge/console" }],
    ["a port", { CONSOLE_HOST: "edge-console.example.com:8443" }],
    ["a wildcard", { CONSOLE_HOST: "*.example.com" }],
    ["two names", { CONSOLE_HOST: "a.example.com,b.example.com" }],
    ["an address", { CONSOLE_HOST: "203.0.113.7" }],
    ["an address in one number", { CONSOLE_HOST: "3405803783" }],
    ["an IPv6 address", { CONSOLE_HOST: "[2001:db8::1]" }],
    ["the origin's host", { CONSOLE_HOST: "origin.example", ORIGIN_URL: "https://origin.example/base" }],
    [
      "the origin's host in another spelling",
      { CONSOLE_HOST: "ORIGIN.example.", ORIGIN_URL: "http://origin.example:8080" },
    ],
    [
      "the origin's host, which ends with a dot",
      { CONSOLE_HOST: "origin.example", ORIGIN_URL: "http://origin.example." },
    ],
    ["the API's host", { CONSOLE_HOST: "api.example.com", API_HOST: "api.example.com:8443" }],
    ["no text", { CONSOLE_HOST: ["a.example"] }],
  ])("%s is a configuration error that names it", (_what, env) => {
    expect(configIssues(env).map(({ place }) => place)).toEqual(["CONSOLE_HOST"]);
  });

  it("without ADMIN_TOKEN is warned of", () => {
    const env = { CONSOLE_HOST: "edge-console.example.com" };
    expect(loadConfig(env, []).warnings).toContainEqual(expect.stringMatching(/^CONSOLE_HOST .*ADMIN_TOKEN/));
    const both = { ...env, ADMIN_TOKEN: "admin-token-of-this-test-only-0123" };
    expect(loadConfig(both, []).warnings).not.toContainEqual(expect.stringMatching(/^CONSOLE_HOST/));
  });
});

test.each(["https://api.example.com", "api.example.com/v1", "*.example.com", "a b"])(
  "API_HOST %j is a configuration error",
  (API_HOST) => {
    expect(configIssues({ API_HOST }).map(({ place }) => place)).toEqual(["API_HOST"]);
  },
);

test.each<[url: string, is: boolean]>([
  ["https://console.example/x", true],
  ["https://CONSOLE.example:8443/x", true],
  ["http://console.example./x", true],
  ["https://console.example.evil/x", false],
  ["https://a.console.example/x", false],
  ["https://me@api.example/console.example", false],
])("%s is on the console's host: %s", (url, is) => {
  expect(isOnHost(new URL(url), "console.example")).toBe(is);
  expect(isOnHost(new URL(url), null)).toBe(false);
});
