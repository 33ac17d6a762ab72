// Makes the console's pictures in the docs: `node test/support/console/screenshots.ts`. The page and its policy are the Worker's own;
// the numbers are those of sample.ts, at a fixed time.

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../chromium.ts";
import { openHarness } from "../edge/harness.ts";
import { CONSOLE_HOST, openConsole, signIn } from "./page.ts";
import { sampleLookup, sampleOverview, samplePurges } from "./sample.ts";

const NOW = Date.parse("2026-11-26T09:41:07Z");
const DESK = { width: 1080, height: 1120 };
const PHONE = { width: 375, height: 812 };

const harness = await openHarness({ assets: true, vars: { CONSOLE_HOST } });
const browser = await launchChromium();
try {
  await picture(browser, "light", { colorScheme: "light", viewport: DESK });
  await picture(
    browser,
    "dark",
    { colorScheme: "dark", viewport: { ...DESK, height: 1000 }, reducedMotion: "reduce" },
    lookUp,
  );
  await picture(browser, "phone", { colorScheme: "light", viewport: PHONE });
  await picture(
    browser,
    "redis-away",
    { colorScheme: "light", viewport: { ...DESK, height: 900 } },
    loseRedis,
  );
} finally {
  await browser.close();
  await harness.stop();
}

async function picture(
  of: Browser,
  name: string,
  options: BrowserContextOptions,
  work: (page: Page) => Promise<void> = async () => {},
): Promise<void> {
  const { page, issues } = await openConsole(of, harness.edge.url, {
    ...options,
    timezoneId: "UTC",
    locale: "en",
  });
  await page.clock.setFixedTime(NOW);
  await answers(page, false);
  await signIn(page, harness.secrets.admin);
  await page.locator("#requests-plot canvas").waitFor();
  await work(page);
  // The pointer and the focus are nowhere.
  await page.mouse.move(0, 0);
  await page.evaluate("document.activeElement?.blur()");
  await page.screenshot({ path: `docs/images/console-${name}.png` });
  await page.context().close();
  if (issues.length > 0) throw new Error(issues.join("\n"));
}

async function answers(page: Page, away: boolean): Promise<void> {
  const bodies: Record<string, unknown> = {
    "/edge/overview": sampleOverview(NOW + (away ? 40_000 : 0), away),
    "/edge/cache/purges": samplePurges(NOW, away),
    "/edge/limits/lookup": sampleLookup(NOW),
  };
  await page.route(
    ({ pathname }) => pathname in bodies,
    (route) => route.fulfill({ json: bodies[new URL(route.request().url()).pathname] }),
  );
}

async function lookUp(page: Page): Promise<void> {
  await page.fill("#lookup-value", "ada");
  await page.click("#lookup-form button");
  await page.locator("#lookup-result table").first().waitFor();
  await page.evaluate("document.getElementById('act').scrollIntoView()");
}

async function loseRedis(page: Page): Promise<void> {
  await page.clock.setFixedTime(NOW + 40_000);
  await page.unrouteAll();
  await answers(page, true);
  await page.click("#refresh");
  await page.locator("#counted.stale").waitFor();
}
