import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/edge/load-config.ts";
import { corsPolicy } from "../../../src/http/cors.ts";
import { corsOrigins, originFix, trustedOrigins } from "../../../src/http/cors-origins.ts";
import { crossSiteRefusal } from "../../../src/http/cross-site.ts";

describe("an entry of CORS_ALLOWED_ORIGINS", () => {
  it.each([
    "https://app.example.com",
    "http://localhost:3000",
    "https://app.example.com:8443",
    "https://xn--bcher-kva.example",
    "https://*.example.app",
    "https://*.example.com",
    "https://*.staging.example.co.uk",
    "https://*.example.co.uk:8443",
    "https://*.team.pages.dev",
    "https://*.xn--bcher-kva.example",
    "capacitor://localhost",
    "tauri://localhost",
    "ionic://localhost",
    "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
    "moz-extension://5b1c2f3a-0000-4000-8000-1234567890ab",
    "app://.",
    "http://[::1]:3000",
    "http://192.0.2.7",
  ])("may be %s", (entry) => {
    expect(originFix(entry)).toBeNull();
  });

  it.each([
    ["*", /Name each origin/],
    ["null", /sandboxed frames/],
    ["https://*", /star/],
    ["https://*.", /one whole label/],
    ["https://*.com", /below com/],
    ["https://*.app", /below app/],
    ["https://*.localhost", /below localhost/],
    ["https://*.co.uk", /below co\.uk/],
    ["https://*.com.au:8443", /below com\.au/],
    ["https://*.github.io", /below github\.io/],
    ["https://*.workers.dev", /below workers\.dev/],
    ["https://*.pages.dev", /below pages\.dev/],
    ["https://*.vercel.app", /below vercel\.app/],
    ["https://*.s3.amazonaws.com", /below s3\.amazonaws\.com/],
    ["https://*.eu-west-1.run.app", /below eu-west-1\.run\.app/],
    ["https://*.eu-west-1.elasticbeanstalk.com", /below eu-west-1\.elasticbeanstalk\.com/],
    ["https://*.uc.r.appspot.com", /below uc\.r\.appspot\.com/],
    ["https://*.scm.azurewebsites.net", /below scm\.azurewebsites\.net/],
    ["https://*.2.azurestaticapps.net", /below 2\.azurestaticapps\.net/],
    ["https://*.eu.ngrok.io", /below eu\.ngrok\.io/],
    ["https://*.app.github.dev", /below app\.github\.dev/],
    ["https://a*.example.app", /one whole label/],
    ["https://*.*.example.app", /scheme, host and port/],
    ["https://app.*.example", /one whole label/],
    ["http://*.example.app", /one whole label/],
    ["*.example.app", /one whole label/],
    ["https://*.example.app/", /scheme, host and port/],
    ["https://*.example.app/path", /scheme, host and port/],
    ["https://*.example.app.", /scheme, host and port/],
    ["https://*.example..app", /scheme, host and port/],
    ["https://*.Example.app", /scheme, host and port/],
    ["https://*.bücher.example", /scheme, host and port/],
    ["https://*.example.app:443", /scheme, host and port/],
    ["https://*.192.0.2.7", /scheme, host and port/],
    ["https://*.[2001:db8::1]", /scheme, host and port/],
    ["https://user@app.example.com", /scheme, host and port/],
    ["https://app.example.com/", /scheme, host and port/],
    ["HTTPS://app.example.com", /scheme, host and port/],
    ["app.example.com", /scheme, host and port/],
    ["capacitor://localhost/", /scheme, host and port/],
    ["Capacitor://localhost", /scheme, host and port/],
    ["file://", /scheme, host and port/],
    ["javascript://x", /scheme, host and port/],
    ["data://x", /scheme, host and port/],
    ["wss://app.example.com", /scheme, host and port/],
  ])("may not be %s", (entry, fix) => {
    expect(originFix(entry)).toMatch(fix);
    expect(() => loadConfig({ CORS_ALLOWED_ORIGINS: entry }, [])).toThrow(/CORS_ALLOWED_ORIGINS/);
  });
});

const LIST = [
  "https://app.example.com",
  "https://*.example.app",
  "https://*.dev.example:8443",
  "capacitor://localhost",
];

describe("with https://*.example.app and an app's scheme", () => {
  it.each<[origin: string, reads: boolean, trusted: boolean]>([
    ["https://app.example.com", true, true],
    ["https://a.example.app", true, false],
    ["https://pr-17.example.app", true, false],
    ["https://xn--bcher-kva.example.app", true, false],
    ["https://a.dev.example:8443", true, false],
    ["capacitor://localhost", true, false],
    ["https://example.app", false, false],
    ["https://a.b.example.app", false, false],
    ["https://.example.app", false, false],
    ["https://*.example.app", false, false],
    ["http://a.example.app", false, false],
    ["https://a.example.app:8443", false, false],
    ["https://a.dev.example", false, false],
    ["https://a.example.app.evil.example", false, false],
    ["https://aexample.app", false, false],
    ["https://evil.example/.example.app", false, false],
    ["https://a@b.example.app", false, false],
    ["https://a.example.app.", false, false],
    ["HTTPS://a.example.app", false, false],
    ["capacitor://localhost:1", false, false],
    ["ionic://localhost", false, false],
    ["null", false, false],
    ["", false, false],
  ])("%j reads: %s, may change things with a cookie: %s", (origin, reads, trusted) => {
    expect(corsOrigins(LIST).allows(origin)).toBe(reads);
    const headers = { origin };
    const answer = corsPolicy({ origins: LIST }).apply(
      new Request("https://edge.example/x", { headers }),
      new Response("x"),
    );
    expect(answer.headers.get("access-control-allow-origin")).toBe(reads ? origin : null);
    expect(answer.headers.get("vary")).toBe("Origin");
    const post = new Request("https://edge.example/x", { method: "POST", headers });
    const refused = crossSiteRefusal(post, "https://edge.example", trustedOrigins(LIST));
    expect(refused === null).toBe(trusted);
  });
});
