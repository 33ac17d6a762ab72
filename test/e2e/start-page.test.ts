import { createConnection } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../src/tools/ports.ts";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { NpmStart } from "../support/npm-start.ts";
import { type ProjectCopy, untouchedProject } from "../support/project-copy.ts";

describe.skipIf(!hasChromium)("the page of npm start, in Chromium", () => {
  let project: ProjectCopy;
  let run: NpmStart;
  let browser: Browser;
  let page: Page;
  const errors: string[] = [];
  beforeAll(async () => {
    project = await untouchedProject();
    run = await new NpmStart({
      cwd: project.folder,
      args: ["--no-store", "--port", String(await freePort()), "--page-port", "0"],
    }).ready();
    browser = await launchChromium();
    page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => errors.push(message.text()));
    await page.goto(run.address("page"));
    await page.waitForSelector("#tour button");
  });
  afterAll(async () => {
    await browser?.close();
    await run?.stop();
    await project?.remove();
  });

  it("shows the routes, and requests as they arrive with verdict, cache and time", async () => {
    expect(await page.locator("#routes tr").first().textContent()).toContain("/v1/emissions/calculate");
    const shown = (cache: string) =>
      page.locator("#rows tr", { hasText: "/v1/emissions/units" }).filter({ hasText: cache });
    // Where the machine is busy, the two lines of a request may be too far apart to be known as one.
    for (
      let attempt = 0;
      (await shown("hit").count()) === 0 || (await shown("miss").count()) === 0;
      attempt += 1
    ) {
      for (let n = 0; n < 2; n += 1) {
        await fetch(`${run.address("edge")}/v1/emissions/units?attempt=${attempt}`);
        await page.waitForTimeout(500);
      }
    }
    expect(await shown("hit").first().textContent()).toMatch(
      /GET \/v1\/emissions\/units[\s\S]*200[\s\S]*allowed[\s\S]*hit[\s\S]*\d+ ms/,
    );
  });

  it("runs a step of the tour by its button, with the keyboard", async () => {
    await page.locator("#tour button").first().focus();
    await page.keyboard.press("Enter");
    await page.locator("#answer", { hasText: "HTTP/1.1 200 OK" }).waitFor();
    expect(await page.locator("#answer").textContent()).toContain('"rate_limiting":"memory"');
  });

  it.each([
    "/%3Cimg%20src=x%20onerror=%22document.title='owned'%22%3E",
    "/javascript:document.title='owned'",
    "/%0A%0Aevent:%20about%0Adata:%20{}",
    "/%E2%80%AE%00",
  ])("the path %s is text", async (path) => {
    const before = await page.locator("#rows tr").count();
    await raw(run.address("edge"), path);
    await page.locator("#rows tr").nth(before).waitFor();
    await page.waitForTimeout(300);
    expect(await page.title()).toBe("Envoyou Edge, development");
    expect(await page.locator("#rows :is(script, img, svg, a)").count()).toBe(0);
  });

  it("markup that reaches the document all the same does not run", async () => {
    // As texts, because this project's types have no DOM.
    const assigned = page.evaluate(`{
      const made = document.createElement("img");
      made.setAttribute("onerror", "document.title = 'owned'");
      made.src = "data:,";
      document.body.append(made);
    }`);
    await expect(assigned).rejects.toThrow(/TrustedScript/);
    await page.waitForTimeout(300);
    expect(await page.title()).toBe("Envoyou Edge, development");
    errors.length = 0;
  });

  it("is as wide as a phone, in light and in dark", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const width = await page.evaluate("document.documentElement.scrollWidth");
      const ground = await page.evaluate("getComputedStyle(document.body).backgroundColor");
      expect(width).toBe(360);
      expect(ground).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(21, 23, 27)");
    }
  });

  it("has no error of its own", () => {
    expect(errors).toEqual([]);
  });
});

/** Sends a path as it stands, which no client library does. */
function raw(edge: string, path: string): Promise<void> {
  const { port } = new URL(edge);
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), "127.0.0.1", () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`);
    });
    socket.on("data", () => {});
    socket.on("error", reject);
    socket.on("close", () => resolve());
  });
}
