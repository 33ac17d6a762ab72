import { readFileSync } from "node:fs";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";

/** The console's host in the tests: Chromium takes every name below `localhost` for this machine. */
export const CONSOLE_HOST = "console.localhost";

/** What a violation of the policy writes to the browser's console, and what a failed answer of the edge does. */
const FAILED_ANSWER = /^Failed to load resource/;

export interface OpenConsole {
  page: Page;
  /** What the page has done wrong: exceptions, violations of its policy, and what it wrote to the browser's console. */
  issues: string[];
  /** Answers that were no success, which the browser notes in its console by itself. */
  failures: string[];
}

/** Opens the page, without a token. `edge`: the Worker's address. */
export async function openConsole(
  browser: Browser,
  edge: string,
  options: BrowserContextOptions = {},
): Promise<OpenConsole> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  // Less than a test may take, so that it says what it waited for.
  page.setDefaultTimeout(60_000);
  const issues: string[] = [];
  const failures: string[] = [];
  page.on("pageerror", (error) => issues.push(String(error)));
  page.on("console", (message) => {
    (FAILED_ANSWER.test(message.text()) ? failures : issues).push(message.text());
  });
  await page.addInitScript(`
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error("policy: " + event.violatedDirective + " " + event.blockedURI);
    });
  `);
  await page.goto(consoleUrl(edge));
  return { page, issues, failures };
}

export function consoleUrl(edge: string): string {
  return `http://${CONSOLE_HOST}:${new URL(edge).port}/edge/console`;
}

/** Sets the browser's clock, which stands still then. Timers and `performance` go on: nobody sets those. */
export async function setDate(page: Page, at: number): Promise<void> {
  await page.evaluate(`{
    const Machine = globalThis.MachineDate ??= Date;
    globalThis.Date = class extends Machine {
      constructor(...parts) {
        super(...(parts.length === 0 ? [${at}] : parts));
      }
      static now = () => ${at};
    };
  }`);
}

/** Types the token, and waits for the first answer. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
  await page.locator("#up-answer:not(:text-is('Asking …'))").waitFor();
}

/** Presses Tab until an element has the focus, as whoever has no mouse does. @throws Error where Tab does not reach it. */
export async function tabTo(page: Page, selector: string): Promise<void> {
  for (let pressed = 0; pressed < 150; pressed += 1) {
    if (await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)}) ?? false`)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not reach ${selector}`);
}

/** What axe-core finds wrong, each with the elements: all its rules for WCAG 2.2 A and AA, and its best practices. */
export async function axeIssues(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync("node_modules/axe-core/axe.min.js", "utf8"));
  const found =
    await page.evaluate(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" | ")))`);
  return found as string[];
}

/** Pixels by which the page is wider than its window, and the elements that stand out of it. */
export async function overflow(page: Page): Promise<string[]> {
  return (await page.evaluate(`[...document.querySelectorAll("body, body *")].filter((element) => {
    const { left, right, width } = element.getBoundingClientRect();
    const isHidden = element.closest(".hears, .skip, thead, [hidden]") !== null;
    return width > 0 && !isHidden && (right > innerWidth + 0.5 || left < -0.5);
  }).map((element) => element.tagName + "#" + element.id + "." + element.className)`)) as string[];
}
