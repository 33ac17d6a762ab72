import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { shownText } from "../support/console/consoles.ts";
import { CONSOLE_HOST, openConsole, setDate, signIn } from "../support/console/page.ts";
import { sampleLookup, sampleOverview, samplePurges } from "../support/console/sample.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** More than a busy machine needs to show an answer. */
const SLOW_MS = 30_000;

/** By how much the browser's clock is ahead of the edge's, and what the page says of that. */
const CLOCKS: [name: string, aheadMs: number, says: RegExp | null][] = [
  ["an hour behind", -HOUR_MS - SLOW_MS, /1 hour ahead of this machine's/],
  ["ten minutes behind", -10 * MINUTE_MS - SLOW_MS, /10 minutes ahead of this machine's/],
  ["four seconds ahead", 4000, null],
  ["right", 0, null],
  ["ten minutes ahead", 10 * MINUTE_MS + SLOW_MS, /10 minutes behind this machine's/],
  ["a day ahead", 24 * HOUR_MS + SLOW_MS, /1 day behind this machine's/],
  ["of 1970", -Date.parse("2026-11-26T09:41:07Z"), /\d days ahead of this machine's/],
];

/** What the page says at a time of the edge, whatever the browser's clock says. */
interface Said {
  now: string;
  updated: string;
  lastPurge: string;
  again: string;
  lost: string;
  minute: string;
}
const TIMES: Said[] = [
  {
    now: "2026-11-26T09:41:07Z",
    updated: "Paused, of 09:41:07",
    lastPurge: "09:38:07",
    again: "in 41 seconds, 09:41:48",
    lost: "09:41:07",
    minute: "09:40",
  },
  {
    now: "2026-11-26T00:01:30Z",
    updated: "Paused, of 00:01:30",
    lastPurge: "Nov 25, 23:58:30",
    again: "in 41 seconds, 00:02:11",
    lost: "00:01:30",
    minute: "00:00",
  },
  {
    now: "2026-11-26T23:59:30Z",
    updated: "Paused, of 23:59:30",
    lastPurge: "23:56:30",
    again: "in 41 seconds, Nov 27, 00:00:11",
    lost: "Nov 26, 23:59:30",
    minute: "23:58",
  },
];

describe.skipIf(!hasChromium)("the console in a browser whose clock is off", () => {
  let harness: Harness;
  let browser: Browser;
  let page: Page;
  let issues: string[];
  let bodies: Record<string, unknown> = {};

  const text = (selector: string) => shownText(page, selector);

  beforeAll(async () => {
    const METRICS_TOKEN = "metrics-token-of-this-test-only-0123";
    harness = await openHarness({ assets: true, vars: { CONSOLE_HOST, METRICS_TOKEN } });
    browser = await launchChromium();
    ({ page, issues } = await openConsole(browser, harness.edge.url, { timezoneId: "UTC", locale: "en" }));
    await page.route(
      ({ pathname }) => pathname in bodies,
      (route: Route) => route.fulfill({ json: bodies[new URL(route.request().url()).pathname] }),
    );
    await signIn(page, harness.secrets.admin);
    // It asks when it is told to, and never meanwhile.
    await page.click("#pause");
  });
  afterAll(async () => {
    await browser?.close();
    await harness?.stop();
  });

  /**
   * Sets the browser's clock, and shows what is answered then.
   *
   * @param answered By path, what is answered in the edge's place.
   */
  async function show(at: number, answered: Record<string, unknown>): Promise<void> {
    bodies = answered;
    await setDate(page, at);
    await page.evaluate("document.getElementById('updated').textContent = ''");
    await page.click("#refresh");
    await page.locator("#updated", { hasText: "Paused" }).waitFor();
  }

  async function lookUp(kind: string, value: string): Promise<string> {
    await page.selectOption("#lookup-kind", kind);
    await page.fill("#lookup-value", value);
    await Promise.all([page.waitForResponse(/lookup/), page.click("#lookup-form button")]);
    await page.locator("#lookup-form:not([data-busy])").waitFor();
    return text("#lookup-result table >> nth=0");
  }

  const sampleAt = (now: number) => ({
    "/edge/overview": sampleOverview(now),
    "/edge/cache/purges": samplePurges(now),
    "/edge/limits/lookup": sampleLookup(now),
  });

  describe.each(CLOCKS)("%s", (_name, aheadMs, says) => {
    it.each(TIMES)("tells every time by the edge's, at $now", async (said) => {
      const now = Date.parse(said.now);
      await show(now + aheadMs, sampleAt(now));
      expect(await text("#updated")).toBe(said.updated);
      expect(await text("#purges-answer")).toBe(
        "3 minutes ago it withdrew the tag emissions, in every isolate.",
      );
      expect(await text("#purges-rows tr >> nth=0")).toContain(`\t${said.lastPurge}\t`);
      expect(await text("#requests-now")).toMatch(new RegExp(`^(Nov \\d+, )?${said.minute}: `));
      const facts = await text("#up-facts");
      if (says === null) expect(facts).not.toContain("The edge's clock");
      else expect(facts).toMatch(says);

      const windows = await lookUp("user", "ada");
      expect(windows).toContain(`34 of 300\t${said.again}\t`);
      expect(windows).toContain(`0 of 60\t${said.again}\t`);
      expect(windows).toContain("100 of 100\tnothing used\t");

      const later = now + 2 * MINUTE_MS;
      await show(later + aheadMs, { ...sampleAt(now), "/edge/overview": sampleOverview(later, true) });
      expect(await text("#banner")).toContain(`The numbers below are of ${said.lost}, the last answer`);
      expect(await text("#traffic .as-of")).toBe(`As of ${said.lost}, 2 minutes ago.`);
    });

    it("says of real counts when more is left", async () => {
      const headers = { authorization: `Bearer ${await harness.token("ada")}` };
      for (let sent = 0; sent < 3; sent += 1)
        await harness.edge.fetch("/v1/emissions/factors?no-cache", { headers });
      await show(Date.now() + aheadMs, {});
      const windows = await lookUp("user", "ada");
      // In the first second of a window the whole minute is left.
      const wait = String.raw`in (?:1 minute|\d+ seconds?), `;
      expect(windows).toMatch(new RegExp(`burst\tGET,HEAD /v1/emissions/\\*\tnone\t\n?\\d+ of 30\t${wait}`));
      for (const [, left, limit, again] of windows.matchAll(/([\d,]+) of ([\d,]+)\t([^\t]*)\t/g))
        expect(again === "nothing used", `${left} of ${limit}: ${again}`).toBe(left === limit);
    });
  });

  it.each<[left: number, again: number | null, says: RegExp]>([
    [0, 41_000, /^in 41 seconds, 09:41:48$/],
    [0, 40_001, /^in 41 seconds, 09:41:47$/],
    [4, 1, /^in 1 second, 09:41:07$/],
    [4, 119_000, /^in 1 minute, 09:43:06$/],
    [0, 3_600_000, /^in 1 hour, 10:41:07$/],
    [0, 86_400_000, /^in 1 day, Nov 27, 09:41:07$/],
    [0, 0, /^now: the wait was over at 09:41:07$/],
    [4, -1500, /^now: the wait was over at 09:41:05$/],
    [0, -86_400_000, /^now: the wait was over at Nov 25, 09:41:07$/],
    [5, 0, /^nothing used$/],
    [5, 41_000, /^nothing used$/],
    [0, null, /^—$/],
  ])("%i of 5 are left, and more at now + %s ms", async (remaining, again, says) => {
    const now = Date.parse("2026-11-26T09:41:07Z");
    const { limits, ...caller } = sampleLookup(now);
    const resetAt = again === null ? null : now + again;
    await show(now - 10 * MINUTE_MS, {
      ...sampleAt(now),
      "/edge/limits/lookup": { ...caller, limits: [{ ...limits[0], limit: 5, remaining, resetAt }] },
    });
    await lookUp("user", "ada");
    expect(await text("#lookup-result tbody tr td >> nth=3")).toMatch(says);
  });
  it("that is set while the page is open: the last answer is as old as it is", async () => {
    const now = Date.parse("2026-11-26T09:41:07Z");
    await show(now, sampleAt(now));
    await setDate(page, now + HOUR_MS + SLOW_MS);
    await page.unrouteAll();
    await page.context().setOffline(true);
    await page.click("#refresh");
    await page.locator("#banner", { hasText: "The edge did not answer." }).waitFor();
    expect(await text("#banner")).toContain("What stands here is of 09:41:07.");
    expect(await text("#traffic .as-of")).toMatch(/^As of 09:41:07, (just now|\d+ (second|minute)s? ago)\.$/);
    expect(await text("#up-facts")).toMatch(/1 hour behind this machine's/);
  });

  it("has thrown nothing", () => {
    expect(issues).toEqual([]);
  });
});
