import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../chromium.ts";
import { type Harness, openHarness } from "../edge/harness.ts";
import { CONSOLE_HOST, openConsole, signIn } from "./page.ts";

/** The Worker with its console, and Chromium. */
export interface Consoles {
  harness: Harness;
  browser: Browser;
  /** What each page has done wrong, by its name. */
  opened: { name: string; issues: string[] }[];
  open(name: string, options?: BrowserContextOptions): Promise<Page>;
  openSignedIn(name: string, options?: BrowserContextOptions): Promise<Page>;
  stop(): Promise<void>;
}

/** @param vars Variables of the Worker beside those. */
export async function startConsoles(vars: Record<string, string> = {}): Promise<Consoles> {
  const harness = await openHarness({
    assets: true,
    vars: { CONSOLE_HOST, METRICS_TOKEN: "metrics-token-of-this-test-only-0123", ...vars },
  });
  const browser = await launchChromium();
  const opened: Consoles["opened"] = [];
  const open: Consoles["open"] = async (name, options = {}) => {
    const { page, issues } = await openConsole(browser, harness.edge.url, options);
    opened.push({ name, issues });
    return page;
  };
  return {
    harness,
    browser,
    opened,
    open,
    async openSignedIn(name, options) {
      const page = await open(name, options);
      await signIn(page, harness.secrets.admin);
      return page;
    },
    async stop() {
      await browser.close();
      await harness.stop();
    },
  };
}

/** What is seen of an element, with what separates it. */
export function shownText(page: Page, selector: string): Promise<string> {
  // biome-ignore lint/performance/useDomNodeTextContent: textContent has no line and no column.
  return page.locator(selector).innerText();
}
