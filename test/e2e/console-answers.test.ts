import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { shownText } from "../support/console/consoles.ts";
import { CONSOLE_HOST, openConsole, overflow, signIn } from "../support/console/page.ts";
import { sampleLookup, sampleOverview, samplePurges } from "../support/console/sample.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const MARKUP = `<img src=x onerror="document.title='owned'">`;
const LONG = `GET /${"very-long-name-".repeat(20)}*`;

type Overview = ReturnType<typeof sampleOverview>;
type Change = (overview: Overview) => Record<string, unknown>;

const nothing: Change = (overview) => ({
  ...overview,
  since: null,
  totals: {
    requests: 0,
    by_status: {},
    limits: { allowed: 0, near: 0, denied: 0, shadow: 0 },
    cache: { hit: 0, stale: 0, revalidated: 0, miss: 0, bypass: 0, bytes_saved: 0 },
    sessions: { created: 0, rotated: 0, ended: 0, ended_user: 0, ended_everyone: 0, refused: 0 },
    store: { calls: 0, commands: 0, failures: 0, lost: 0 },
  },
  routes: [],
  policies: [],
  denied_callers: [],
});

/** What the page says of answers that a deployment may give, odd ones too. */
const CASES: [name: string, change: Change, where: string, says: RegExp][] = [
  ["nothing yet", nothing, "#traffic-answer", /^No request has come since counting began\.$/],
  ["nothing yet: limits", nothing, "#limits-answer", /^Nobody: no limit has denied a request/],
  ["nothing yet: cache", nothing, "#cache-answer", /^No request of a route with a cache came/],
  [
    "nothing is counted",
    (overview) => ({
      ...nothing(overview),
      metrics: "off",
      complete: false,
      isolates: null,
      totals: null,
      series: null,
    }),
    "#banner",
    /^Nothing is counted\. Neither METRICS_TOKEN nor CONSOLE_HOST is set/,
  ],
  [
    "Redis away from the start",
    ({ now }) => sampleOverview(now, true),
    "#banner",
    /those of the one isolate that answered/,
  ],
  [
    "Redis answers and refuses the counts",
    (overview) => ({ ...overview, complete: false, isolates: null, series: null }),
    "#banner",
    /^Redis answers, and refuses the counts: the log says why\. The numbers below are/,
  ],
  [
    "no Redis at all",
    (overview) => ({
      ...overview,
      complete: false,
      isolates: null,
      series: null,
      health: {
        status: "healthy",
        services: { rate_limiting: "memory", session_storage: "memory", response_cache: "memory" },
        store: { status: "not_configured", available: false, message: "No Redis is configured" },
      },
    }),
    "#banner",
    /^There is no Redis\./,
  ],
  [
    "sessions in the database",
    (overview) => ({
      ...overview,
      health: {
        ...overview.health,
        services: { rate_limiting: "memory", session_storage: "database", response_cache: "memory" },
        store: { status: "unavailable", available: false, message: "Redis does not answer" },
        database: { status: "healthy", available: true, message: "The database answers" },
      },
    }),
    "#up-answer",
    /^It serves without Redis\. Limits and cache run on each isolate's memory and sessions run on database\.$/,
  ],
  [
    "observe",
    (overview) => ({ ...overview, mode: "observe" }),
    "#up-answer",
    /Its mode is observe: nothing is refused, all is counted\.$/,
  ],
  [
    "no API host",
    (overview) => ({ ...overview, api_host: null, deployed: null }),
    "#host",
    /^console\.localhost:\d+$/,
  ],
  [
    "a clock that is wrong",
    (overview) => ({ ...overview, now: overview.now - 7_200_000 }),
    "#up-facts",
    /2 hours behind this machine's/,
  ],
  [
    "names that are markup, and long ones",
    (overview) => ({
      ...overview,
      routes: [MARKUP, LONG].map((route) => ({ ...overview.routes[0], route })),
      policies: [MARKUP, LONG].map((name) => ({ ...overview.policies[0], route: name, policy: name })),
    }),
    "#routes-rows",
    /<img src=x onerror=/,
  ],
  [
    "numbers as they get in years",
    (overview) => ({
      ...overview,
      totals: { ...overview.totals, requests: 9_007_199_254_740_991 },
      routes: overview.routes.map((route) => ({ ...route, requests: 9_007_199_254_740_991 })),
    }),
    "#traffic-facts",
    /9,?007\.2T/,
  ],
  [
    "a share of almost nothing",
    (overview) => ({ ...overview, totals: { ...overview.totals, requests: 5_000_000 } }),
    "#traffic-answer",
    /<\s0\.1\s% failed/,
  ],
];

describe.skipIf(!hasChromium)("the console, whatever it is answered", () => {
  let harness: Harness;
  let browser: Browser;
  let page: Page;
  let issues: string[];
  let overview: (route: Route) => Promise<void>;

  const text = (selector: string) => shownText(page, selector);
  const json = (body: unknown) => (route: Route) => route.fulfill({ json: body });

  beforeAll(async () => {
    harness = await openHarness({ assets: true, vars: { CONSOLE_HOST } });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await harness?.stop();
  });

  async function open(): Promise<void> {
    ({ page, issues } = await openConsole(browser, harness.edge.url, {
      viewport: { width: 375, height: 740 },
    }));
    await page.route("**/edge/overview*", (route) => overview(route));
    await page.route("**/edge/cache/purges", json(samplePurges(Date.now())));
    await signIn(page, harness.secrets.admin);
    await page.locator("#purges-rows tr").first().waitFor({ state: "attached" });
  }

  it.each(CASES)("%s", async (_name, change, where, says) => {
    overview = json(change(sampleOverview(Date.now())));
    await open();
    expect(await text(where)).toMatch(says);
    expect(await overflow(page)).toEqual([]);
    expect(await page.locator("#console img").count()).toBe(0);
    expect(issues).toEqual([]);
    await page.context().close();
  });

  it.each([
    [
      "a problem with fields",
      400,
      {
        title: "Bad",
        message: "Not so.",
        errors: [{ in: "query", field: "minutes", reason: "must be whole" }],
      },
      /Bad\s+Not so\.\s+minutes must be whole/,
    ],
    [
      "a problem with a detail and a time",
      429,
      { title: "Slowly", detail: "Wait.", retry_after: 7 },
      /Slowly\s+Wait\.\s+Try again in 7 seconds\./,
    ],
    ["what is no problem", 502, "<html>Bad gateway</html>", /Status 502/],
    ["a list", 500, [1, 2], /Status 500|Failed/],
    ["a success that is no JSON", 200, "not JSON", /The answer is not JSON/],
  ])("%s is told, and the numbers stay in grey", async (_name, status, body, says) => {
    overview = json(sampleOverview(Date.now()));
    await open();
    overview = (route) =>
      route.fulfill({ status, body: typeof body === "string" ? body : JSON.stringify(body) });
    await page.click("#refresh");
    await page.locator("#banner .problem").waitFor();
    expect(await text("#banner")).toMatch(says);
    expect(await page.locator("#counted.stale").count()).toBe(1);
    expect(await text("#traffic-facts")).toContain("26,310");
    expect(issues).toEqual([]);
    await page.context().close();
  });

  it("shows a caller whose tier is not known with the windows of every tier, and an address' network", async () => {
    overview = json(sampleOverview(Date.now()));
    await open();
    const { limits, caller } = sampleLookup(Date.now());
    const unknown = limits.map((limit) => ({ ...limit, current: null }));
    await page.route(
      "**/edge/limits/lookup",
      json({ caller, tier: null, limits: unknown, address: "2001:db8::/64" }),
    );
    await page.selectOption("#lookup-kind", "address");
    await page.fill("#lookup-value", "2001:db8::1");
    await page.click("#lookup-form button");
    await page.locator("#lookup-result table").waitFor();
    expect(await page.locator("#lookup-result tbody tr").count()).toBe(limits.length);
    expect(await text("#lookup-result")).toMatch(
      /Its tier is not known here.*It is counted as 2001:db8::\/64\./,
    );
    await page.context().close();
  });
});
