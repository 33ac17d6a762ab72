import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { type Consoles, shownText, startConsoles } from "../support/console/consoles.ts";
import { overflow } from "../support/console/page.ts";
import { type HangingProxy, startHangingProxy } from "../support/hanging-proxy.ts";
import { hasRedisServer } from "../support/upstash-local.ts";

/** How long the edge may take to notice, ms. */
const NOTICED_WITHIN_MS = 60_000;

/** How Redis is lost, and is there again. */
const OUTAGES: [what: string, begin: (world: World) => unknown, end: (world: World) => unknown][] = [
  [
    "is killed",
    ({ consoles }) => consoles.harness.upstash.redis.kill(),
    ({ consoles }) => consoles.harness.upstash.redis.start(),
  ],
  ["accepts calls and never answers", ({ proxy }) => proxy.hang(), ({ proxy }) => proxy.lift()],
];

interface World {
  consoles: Consoles;
  proxy: HangingProxy;
}

describe.skipIf(!hasChromium || !hasRedisServer).each(OUTAGES)(
  "the console while Redis %s, in Chromium",
  { timeout: 240_000 },
  (_what, begin, end) => {
    let world: World;
    let page: Page;
    beforeAll(async () => {
      const proxy = await startHangingProxy();
      const consoles = await startConsoles({ UPSTASH_REDIS_REST_URL: proxy.url, STORE_DEADLINE_MS: "2000" });
      proxy.target = consoles.harness.upstash.url;
      world = { consoles, proxy };
      page = await consoles.openSignedIn("outage");
    });
    afterAll(async () => {
      await world?.consoles.stop();
      await world?.proxy.stop();
    });

    const text = (selector: string) => shownText(page, selector);
    /** Asks again until the page says it. */
    const says = (selector: string, words: RegExp) =>
      expect
        .poll(
          async () => {
            await Promise.all([page.waitForResponse(/overview/), page.click("#refresh")]);
            return text(selector);
          },
          { timeout: NOTICED_WITHIN_MS, interval: 500 },
        )
        .toMatch(words);

    it("says what it cannot know, and of when its numbers are", async () => {
      expect(await text("#banner")).toBe("");
      await begin(world);
      await says(
        "#banner",
        /Redis does not answer\. The numbers below are of \d\d:\d\d:\d\d, the last answer of all isolates/,
      );
      expect(await text("#up-answer")).toMatch(/^It serves without Redis\. .*each isolate's memory/);
      expect(await page.locator("#counted.stale").count()).toBe(1);
      expect(await text("#traffic .as-of")).toMatch(/^As of \d\d:\d\d:\d\d, (just now|.* ago)\.$/);
      const colour = (selector: string) =>
        page.evaluate(`getComputedStyle(document.querySelector("${selector}")).color`);
      expect(await colour("#traffic-facts dd")).toBe(await colour("#traffic-facts dt"));
      expect(await overflow(page)).toEqual([]);
    });

    it("tells answers that hold in one isolate, and refusals, in words", async () => {
      await page.selectOption("#purge-kind", "tags");
      await page.fill("#purge-list", "emissions");
      await page.click("#purge-form button[type=submit]");
      await page.click("#ask-yes");
      await page.locator("#purge-result .notice.warn").waitFor();
      expect(await text("#purge-result")).toMatch(
        /^Purged the tag emissions in one isolate alone\.\s+Redis does not answer/,
      );
      await says(
        "#purges-answer",
        /it withdrew the tag emissions, in one isolate alone, and is written when Redis is back\./,
      );
      await page.fill("#key-value", "a key");
      await page.click("#key-form button[type=submit]");
      await page.locator("#key-result .problem").waitFor();
      expect(await text("#key-result")).toMatch(
        /Store unavailable[\s\S]*what your API has said of keys[\s\S]*STORE_UNAVAILABLE/,
      );
      await page.fill("#lookup-value", "ada");
      await page.click("#lookup-form button");
      await page.locator("#lookup-result table").first().waitFor();
      expect(await text("#lookup-result")).toContain("this isolate");
    });

    it("shows all numbers again when Redis is back", async () => {
      await end(world);
      await says("#up-answer", /^It is up\./);
      await says("#banner", /^$/);
      expect(await page.locator("#counted.stale").count()).toBe(0);
      expect(await page.locator(".as-of:visible").count()).toBe(0);
    });

    it("says that the edge itself does not answer", async () => {
      await page.context().setOffline(true);
      await page.click("#refresh");
      await page.locator("#banner", { hasText: "The edge did not answer." }).waitFor();
      expect(await text("#banner")).toMatch(
        /What stands here is of \d\d:\d\d:\d\d[\s\S]*could not be reached/,
      );
      await page.context().setOffline(false);
      await says("#banner", /^$/);
    });

    it("has thrown nothing", () => {
      expect(world.consoles.opened).toEqual([{ name: "outage", issues: [] }]);
    });
  },
);
