import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { type Consoles, startConsoles, shownText as text } from "../support/console/consoles.ts";
import { axeIssues, consoleUrl, overflow, signIn, tabTo } from "../support/console/page.ts";
import { sampleLookup, sampleOverview, samplePurges } from "../support/console/sample.ts";

/** How long an isolate may take to write what it has counted, and the busy machine to show it, ms. */
const COUNTED_WITHIN_MS = 60_000;
const WINDOWS = [
  { width: 1200, height: 900 },
  { width: 375, height: 740 },
  // WCAG 2.2 §1.4.10.
  { width: 320, height: 640 },
];

describe.skipIf(!hasChromium)("the console, in Chromium", () => {
  let consoles: Consoles;
  beforeAll(async () => {
    consoles = await startConsoles();
    await traffic();
  });
  afterAll(() => consoles?.stop());

  /** Something for each question: answers from the cache, a denied caller, an error, a session, a purge. */
  async function traffic(): Promise<void> {
    const { harness } = consoles;
    const { fetch } = harness.edge;
    for (let sent = 0; sent < 4; sent += 1) await fetch("/v1/emissions/factors");
    const login = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    for (let sent = 0; sent < 7; sent += 1) await fetch("/v1/auth/login", login);
    await fetch("/v1/status/500");
    await harness.token("ada", "premium");
    const headers = { authorization: `Bearer ${harness.secrets.admin}`, "content-type": "application/json" };
    await fetch("/edge/cache/purge", { method: "POST", headers, body: JSON.stringify({ tags: ["old"] }) });
  }

  it("asks for the token first, says what is wrong with another one, and forgets it with a reload", async () => {
    const page = await consoles.open("sign in");
    const asked: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith("/edge/console")) asked.push(pathname);
    });
    expect(await page.locator("#console").isVisible()).toBe(false);
    await page.fill("#token", "not the token");
    await page.keyboard.press("Enter");
    await page.locator("#sign-in-result .problem").waitFor();
    expect(await text(page, "#sign-in-result")).toContain("Token required");
    expect(asked).toEqual(["/edge/overview"]);
    await signIn(page, consoles.harness.secrets.admin);
    expect(await page.locator("#sign-in").isVisible()).toBe(false);
    expect(await page.content(), "the token stands nowhere in the document").not.toContain(
      consoles.harness.secrets.admin,
    );
    expect(await page.inputValue("#token")).toBe("");
    const kept = await page.evaluate(
      `JSON.stringify([document.cookie, localStorage.length, sessionStorage.length, history.state])`,
    );
    expect(kept).toBe('["",0,0,null]');
    expect(await page.context().cookies()).toEqual([]);
    await page.reload();
    expect(await page.locator("#token").isVisible()).toBe(true);
    expect(await page.locator("#console").isVisible()).toBe(false);
  });

  it("answers each question from what the isolates have counted", async () => {
    const page = await consoles.openSignedIn("questions");
    expect(await text(page, "#up-answer")).toBe("It is up. Limits, sessions and cache run on Redis.");
    expect(await text(page, "#up-facts")).toMatch(/Mode\s+enforce/);
    // An isolate writes with its first request after ten seconds.
    await expect
      .poll(
        async () => {
          await consoles.harness.edge.fetch("/v1/emissions/factors");
          await page.click("#refresh");
          return text(page, "#limits-answer");
        },
        { timeout: COUNTED_WITHIN_MS, interval: 1000 },
      )
      .toMatch(/^2 requests were denied .*most of them by “login”/);
    expect(await text(page, "#policies-rows")).toContain("login");
    expect(await text(page, "#traffic-answer")).toMatch(/requests?( a minute)?; .*failed.*denied/);
    expect(await text(page, "#routes-rows")).toContain("/v1/auth/login");
    expect(await text(page, "#callers-rows")).toMatch(/^[0-9a-f]{32}\s+≈ 2\s+Look up/);
    expect(await text(page, "#cache-answer")).toMatch(/\d\s% of what may be cached came from the cache/);
    expect(await text(page, "#cache-rows")).toContain("/v1/emissions/*");
    expect(await text(page, "#purges-answer")).toMatch(
      /ago it withdrew the tag old, in every isolate\.$|^Just now it withdrew/,
    );
    expect(await page.locator("#requests-plot canvas").count()).toBe(1);
    expect(await page.getAttribute("#requests-plot", "aria-label")).toMatch(/^59 minutes\. requests: \d/);
  });

  it("looks a denied caller up by its row, with each window, and resets it", async () => {
    const page = await consoles.openSignedIn("caller");
    await page.locator("#callers-rows button").first().click();
    await page.locator("#lookup-result table").first().waitFor();
    expect(await page.inputValue("#lookup-kind")).toBe("hash");
    expect(await text(page, "#lookup-result")).toMatch(
      /login\s+POST \/v1\/auth\/login\s+none\s+0 of 5\s+in \d+ /,
    );
    await page.click("#lookup-result button.danger");
    expect(await text(page, "#ask")).toMatch(/What will happen[\s\S]+What will not/);
    await page.click("#ask-yes");
    await page.locator("#lookup-result .notice").waitFor();
    expect(await text(page, "#lookup-result")).toMatch(/login\s+POST \/v1\/auth\/login\s+none\s+5 of 5/);
    expect((await consoles.harness.edge.fetch("/v1/auth/login", { method: "POST" })).status).not.toBe(429);
  });

  it("is used by the keyboard alone: signs in, looks up, resets, purges", async () => {
    const page = await consoles.open("keyboard");
    const press = (key: string) => page.keyboard.press(key);
    await tabTo(page, ".skip");
    await tabTo(page, "#token");
    await page.keyboard.type(consoles.harness.secrets.admin);
    await press("Enter");
    await page.locator("#up-answer.good").waitFor();
    expect(await page.evaluate("document.activeElement.id")).toBe("main");
    await tabTo(page, "#lookup-value");
    await page.keyboard.type("ada");
    await press("Enter");
    await page.locator("#lookup-result table").first().waitFor();
    await tabTo(page, "#lookup-result button.danger");
    const ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    expect(ring, "where the focus is can be seen").toBe("solid");
    await press("Enter");
    expect(await page.evaluate("document.activeElement.id"), "the harmless button").toBe("ask-no");
    await tabTo(page, "#ask-yes");
    await press("Space");
    await page.locator("#lookup-result .notice").waitFor();
    expect(await page.evaluate("document.activeElement.id"), "the button is gone, the focus is not").toBe(
      "lookup-result",
    );
    await tabTo(page, "#purge-kind");
    await press("ArrowDown");
    await press("ArrowDown");
    expect(await page.inputValue("#purge-kind")).toBe("tags");
    await tabTo(page, "#purge-list");
    await page.keyboard.type("emissions");
    await tabTo(page, "#purge-form button[type=submit]");
    await press("Enter");
    await tabTo(page, "#ask-yes");
    await press("Enter");
    await page.locator("#purge-result .notice").waitFor();
    expect(await text(page, "#purge-result")).toContain("Purged the tag emissions.");
  });

  it("asks again every ten seconds, and only while it is seen and not paused", async () => {
    const page = await consoles.open("pause");
    // Time stands still but for what the test says.
    const now = Date.now();
    // From a minute ago: it runs until it is paused, and a busy machine takes its time.
    await page.clock.install({ time: now - 60_000 });
    await page.clock.pauseAt(now);
    let asked = 0;
    page.on("request", (request) => {
      if (request.url().includes("/edge/overview")) asked += 1;
    });
    const seen = (state: string) =>
      page.evaluate(`Object.defineProperty(document, "visibilityState", { value: "${state}", configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));`);
    const answered = (work: () => Promise<unknown>) =>
      Promise.all([page.waitForResponse(/overview/), work()]);
    const aMinute = () => page.clock.fastForward(60_000);
    await page.fill("#token", consoles.harness.secrets.admin);
    await page.keyboard.press("Enter");
    await page.locator("#up-answer.good").waitFor();
    await answered(() => page.clock.fastForward(10_500));
    await page.locator("#updated", { hasText: "Updated" }).waitFor();
    await seen("hidden");
    await aMinute();
    await answered(() => seen("visible"));
    await page.click("#pause");
    expect(await text(page, "#updated")).toMatch(/^Paused, of /);
    await aMinute();
    await answered(() => page.click("#refresh"));
    await aMinute();
    await answered(() => page.click("#pause"));
    await Promise.all([page.waitForResponse(/minutes=15/), page.selectOption("#minutes", "15")]);
    // Had it asked where it must not, there would be more. One each: signing in, ten seconds, being seen, Refresh, going on, 15 minutes.
    expect(asked).toBe(6);
  });

  describe.each(["light", "dark"] as const)("in %s", (colorScheme) => {
    it.each(WINDOWS)(
      "has nothing that axe finds, and nothing too wide, at $width pixels",
      async (viewport) => {
        const page = await consoles.open(`axe ${colorScheme}`, {
          colorScheme,
          viewport,
          reducedMotion: "reduce",
        });
        expect(await axeIssues(page)).toEqual([]);
        await signIn(page, consoles.harness.secrets.admin);
        await page.fill("#lookup-value", "ada");
        await page.click("#lookup-form button");
        await page.locator("#lookup-result table").first().waitFor();
        await page.fill("#match-path", "/v1/emissions/factors");
        await page.click("#match-form button");
        await page.locator("#match-result dl").waitFor();
        await page.fill("#sessions-user", "nobody");
        await page.click("#numbers summary");
        expect(await axeIssues(page)).toEqual([]);
        expect(await overflow(page)).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
        await page.click("#sessions-form button");
        expect(await axeIssues(page)).toEqual([]);
        expect(await overflow(page)).toEqual([]);
      },
    );
  });

  it("is pictured in the docs with answers as the endpoints give them", async () => {
    const { edge, secrets } = consoles.harness;
    const headers = { authorization: `Bearer ${secrets.admin}`, "content-type": "application/json" };
    const body = JSON.stringify({ user: "ada" });
    const real = async (path: string, init = {}) => (await edge.fetch(path, { headers, ...init })).json();
    const now = Date.now();
    expect(namesOf(sampleOverview(now))).toEqual(namesOf(await real("/edge/overview")));
    expect(namesOf(samplePurges(now))).toEqual(namesOf(await real("/edge/cache/purges")));
    expect(namesOf(sampleLookup(now))).toEqual(
      namesOf(await real("/edge/limits/lookup", { method: "POST", body })),
    );
  });

  it("would be found out by axe", async () => {
    const page = await consoles.open("axe itself");
    await page.evaluate("document.querySelector('label[for=token]').remove()");
    expect((await axeIssues(page)).join()).toContain("label");
  });

  it("is nowhere but on its own host", async () => {
    const address = new URL(consoleUrl(consoles.harness.edge.url));
    expect((await fetch(`${consoles.harness.edge.url}${address.pathname}`)).status).toBe(404);
  });

  it("has thrown nothing, written nothing to the browser's console and kept to its policy", () => {
    expect(consoles.opened.length).toBeGreaterThan(10);
    expect(consoles.opened.filter(({ issues }) => issues.length > 0)).toEqual([]);
  });
});

/** What only some answers have: a median comes with the sixteenth reply, and statuses are those that were given. */
const NOT_ALWAYS = /^\.health\.store\.median_ms$|^\.totals\.by_status\./;

/** The path of each member, of lists those of the first element. */
function namesOf(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return namesOf(value[0], `${path}[]`);
  if (typeof value !== "object" || value === null) return [path];
  const names = Object.entries(value).flatMap(([name, member]) => namesOf(member, `${path}.${name}`));
  return names.filter((name) => !NOT_ALWAYS.test(name)).sort();
}
