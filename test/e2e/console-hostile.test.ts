import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { type Consoles, startConsoles, shownText as text } from "../support/console/consoles.ts";
import { consoleUrl, openConsole, overflow } from "../support/console/page.ts";
import { sampleLookup, sampleOverview, samplePurges } from "../support/console/sample.ts";

/** What a caller may have put into a name, a path or a tag. */
const HOSTILE = [
  "<img src=x onerror=alert(1)>",
  "'\"><script>alert(1)</script>",
  "\u202Egnp.exe\u202C \u2066isolate",
  "x".repeat(10_000),
  "a\u0000b\u0007\u001b[31m",
  "\ud800 half",
  "__proto__",
  "constructor",
  "",
  "same",
  "same",
];

describe.skipIf(!hasChromium)("the console among hostile pages and names, in Chromium", () => {
  let consoles: Consoles;
  let page: Page;
  beforeAll(async () => {
    consoles = await startConsoles();
  });
  afterAll(() => consoles?.stop());

  const answers = (path: string, body: unknown, status = 200) =>
    page.route(path, (route: Route) => route.fulfill({ status, json: body }));

  it("writes what callers have named as text, keeps to its width, and has each row once", async () => {
    page = await consoles.openSignedIn("names", { viewport: { width: 320, height: 640 } });
    const now = Date.now();
    const [overview, purges, lookup] = [sampleOverview(now), samplePurges(now), sampleLookup(now)];
    const [route, policy, limit] = [overview.routes[0], overview.policies[0], lookup.limits[0]];
    await answers("**/edge/overview?*", {
      ...overview,
      routes: HOSTILE.map((name) => ({ ...route, route: name })),
      policies: HOSTILE.map((name) => ({ ...policy, route: name, policy: name })),
      denied_callers: HOSTILE.map((caller) => ({ caller, denied: 1, approximate: true })),
    });
    await answers("**/edge/cache/purges", {
      ...purges,
      purges: HOSTILE.map((what) => ({ at: now, kind: "tag", what, soft: false, reach: "everywhere" })),
    });
    await answers("**/edge/limits/lookup", {
      ...lookup,
      tier: HOSTILE[0],
      limits: HOSTILE.map((name) => ({ ...limit, name, route: name, tier: name })),
    });
    for (let asked = 0; asked < 3; asked += 1) {
      await Promise.all([page.waitForResponse(/cache\/purges/), page.click("#refresh")]);
      await page.locator("#purges-rows", { hasText: "onerror" }).waitFor();
    }
    for (const rows of ["routes", "policies", "callers", "cache", "purges"])
      expect(await page.locator(`#${rows}-rows tr`).count(), rows).toBe(HOSTILE.length);
    await page.fill("#lookup-value", HOSTILE[3] ?? "");
    await page.click("#lookup-form button");
    await page.locator("#lookup-result", { hasText: "onerror" }).waitFor();
    await page.click("#lookup-result button.danger");
    expect(await page.locator("main img, main script, #ask img").count()).toBe(0);
    expect(await overflow(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
  });

  // The sentences name the last purge and the policy that denies most, the bar the API's host: none of these can be broken at a blank.
  const hash = `hash:${"0123456789abcdef".repeat(2)}`;
  const long = `api-${"x".repeat(60)}.example.com`;
  it.each([
    ["a user", { purge: { kind: "user", what: hash } }],
    ["a prefix", { purge: { kind: "prefix", what: `${long}/v1/` } }],
    ["a path", { purge: { kind: "path", what: `/${long}` } }],
    ["a tag", { purge: { kind: "tag", what: long } }],
    ["a tag's beginning", { purge: { kind: "tags", what: long } }],
    ["a policy", { policy: "p".repeat(64) }],
    ["the API's host", { overview: { api_host: long } }],
    ["a version", { overview: { version: long, deployed: long } }],
  ])("keeps to its width where a sentence names %s that is long", async (about, named) => {
    const { purge, policy, overview } = { purge: {}, policy: "", overview: {}, ...named };
    page = await consoles.openSignedIn(`long ${about}`, { viewport: { width: 320, height: 640 } });
    const now = Date.now();
    const [counted, purges] = [sampleOverview(now), samplePurges(now)];
    const most = { ...counted.policies[0], denied: 1e6, ...(policy && { policy }) };
    await answers("**/edge/overview?*", { ...counted, ...overview, policies: [most] });
    await answers("**/edge/cache/purges", {
      ...purges,
      purges: [{ at: now, kind: "everything", what: null, soft: false, reach: "everywhere", ...purge }],
    });
    await Promise.all([page.waitForResponse(/cache\/purges/), page.click("#refresh")]);
    await page.locator("#purges-answer", { hasText: "what" in purge ? purge.what : "everything" }).waitFor();
    expect(await overflow(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
  });

  it("closes its question where the token no longer counts, and shows nothing of it to who comes next", async () => {
    page = await consoles.openSignedIn("ended");
    await page.selectOption("#purge-kind", "tags");
    await page.fill("#purge-list", "old");
    await page.click("#purge-form button[type=submit]");
    await page.locator("#ask[open]").waitFor();
    await answers("**/edge/overview?*", { title: "Token required", code: "TOKEN_REQUIRED" }, 401);
    await page.evaluate("document.getElementById('refresh').click()");
    await page.locator("#sign-in").waitFor();
    expect(await page.locator("#ask").isVisible()).toBe(false);
    expect(await page.evaluate("document.activeElement.id")).toBe("token");
    await page.unroute("**/edge/overview?*");
    await page.fill("#token", consoles.harness.secrets.admin);
    await page.keyboard.press("Enter");
    await page.locator("#console").waitFor();
    expect(await page.inputValue("#purge-list")).toBe("");
    expect(await page.locator(".result:not(:empty)").count()).toBe(0);
  });

  it("says that a token with a character that is not seen is none, and asks nothing", async () => {
    page = await consoles.open("unseen");
    const asked: string[] = [];
    page.on("request", (request) => {
      if (!new URL(request.url()).pathname.startsWith("/edge/console")) asked.push(request.url());
    });
    for (const unseen of ["\u200b", "\ufeff\u200d", "\u2013"]) {
      await page.fill("#token", `${consoles.harness.secrets.admin}${unseen}x`);
      await page.keyboard.press("Enter");
      await page.locator("#sign-in-result", { hasText: "Not a token" }).waitFor();
    }
    expect(asked).toEqual([]);
  });

  it("sends the cookie of a sign-in in front of its host, and says when that is over", async () => {
    page = await consoles.openSignedIn("sign-in in front");
    const url = consoleUrl(consoles.harness.edge.url);
    await page.context().addCookies([{ name: "CF_Authorization", value: "a", url }]);
    const [asked] = await Promise.all([page.waitForRequest(/overview/), page.click("#refresh")]);
    expect((await asked.allHeaders()).cookie).toBe("CF_Authorization=a");
    const headers = { location: "https://sign-in.example/" };
    await page.route("**/edge/**", (route) => route.fulfill({ status: 302, headers }));
    await page.click("#refresh");
    await page.locator("#banner", { hasText: "Reload the page to sign in there again" }).waitFor();
    await page.fill("#lookup-value", "ada");
    await page.click("#lookup-form button");
    await page.locator("#lookup-result", { hasText: "Something in front of the edge" }).waitFor();
    expect(new URL(page.url()).href, "the page stays where it is").toBe(url);
  });

  it("marks the field that the edge names", async () => {
    page = await consoles.openSignedIn("fields");
    const hidden = `[...document.querySelectorAll("main [role=status]")].filter((each) => !each.checkVisibility()).map(({ id }) => id)`;
    expect(await page.evaluate(hidden), "where outcomes are said is there before they are").toEqual([]);
    await page.fill("#purge-list", "/x");
    await page.fill("#purge-host", "no host");
    await page.click("#purge-form button[type=submit]");
    await page.click("#ask-yes");
    await page.locator("#purge-result .problem").waitFor();
    expect(await page.getAttribute("#purge-host", "aria-invalid")).toBe("true");
    expect(await page.getAttribute("#purge-list", "aria-invalid")).toBeNull();
    await page.fill("#match-method", "G T");
    await page.fill("#match-path", "/x");
    await page.click("#match-form button");
    await page.locator("#match-result .problem").waitFor();
    expect(await page.getAttribute("#match-method", "aria-invalid")).toBe("true");
    expect(await page.getAttribute("#match-path", "aria-invalid")).toBeNull();
  });

  it("does not say that Redis is away where there is none", async () => {
    page = await consoles.openSignedIn("memory");
    const overview = sampleOverview(Date.now(), true);
    const store = { status: "not_configured", available: false, message: "none" };
    await answers("**/edge/overview?*", { ...overview, health: { ...overview.health, store } });
    await answers("**/edge/cache/purges", { complete: false, purges: [] });
    await answers("**/edge/cache/purge", { success: true, reach: "this isolate" }, 202);
    await Promise.all([page.waitForResponse(/cache\/purges/), page.click("#refresh")]);
    await page.locator("#purges-answer", { hasText: "Not known without Redis" }).waitFor();
    await page.fill("#purge-list", "/x.y");
    await page.click("#purge-form button[type=submit]");
    await page.click("#ask-yes");
    await page.locator("#purge-result .notice").waitFor();
    expect(await text(page, "#purge-result")).toMatch(/\/x\.y.* in one isolate alone\.\s+There is no Redis/);
    expect(await text(page, "body")).not.toMatch(/Redis does not answer|until Redis is back/);
  });

  it("cannot be framed, opened, read or scripted by a page of the API's", async () => {
    const { edge } = consoles.harness;
    const url = consoleUrl(edge.url);
    const { page: other } = await openConsole(consoles.browser, edge.url);
    await other.goto(`${edge.url}/health`);
    const tried = await other.evaluate(`(async () => {
      const tell = (work) => Promise.resolve().then(work).then(() => "done", (error) => error.name);
      const frame = document.body.appendChild(document.createElement("iframe"));
      frame.src = ${JSON.stringify(url)};
      await new Promise((resolve) => { frame.onload = resolve; });
      const script = document.createElement("script");
      script.src = ${JSON.stringify(`${url}/api.js`)};
      const ran = await new Promise((resolve) => {
        script.onload = () => resolve("done");
        script.onerror = () => resolve("error");
        document.head.append(script);
      });
      const headers = { authorization: "Bearer x" };
      const health = ${JSON.stringify(new URL("/edge/overview", url).href)};
      return {
        framed: await tell(() => frame.contentWindow.document.title.length),
        script: ran,
        read: await tell(() => fetch(${JSON.stringify(url)})),
        asked: await tell(() => fetch(health, { headers })),
        posted: await tell(() => fetch(health, { method: "POST", body: "{}" })),
        worker: await tell(() => navigator.serviceWorker.register("/edge/console/main.js")),
      };
    })()`);
    expect(tried).toMatchObject({
      script: "error",
      read: "TypeError",
      asked: "TypeError",
      posted: "TypeError",
    });
    expect(tried).not.toMatchObject({ framed: "done" });
    expect(tried).not.toMatchObject({ worker: "done" });
    for (const frame of other.frames()) expect(await frame.locator("#token").count()).toBe(0);
    const [popup] = await Promise.all([
      other.waitForEvent("popup"),
      other.evaluate(`void (globalThis.opened = open(${JSON.stringify(url)}))`),
    ]);
    await popup.waitForURL(url);
    await popup.locator("#token").waitFor();
    expect(await popup.evaluate("opener")).toBeNull();
    await expect.poll(() => other.evaluate("opened.closed")).toBe(true);
  });

  it("has thrown nothing, and written nothing to the browser's console", () => {
    expect(consoles.opened.length).toBeGreaterThan(4);
    expect(consoles.opened.filter(({ issues }) => issues.length > 0)).toEqual([]);
  });
});
