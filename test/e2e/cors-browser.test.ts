import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchChromium } from "../support/chromium.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

describe.skipIf(!hasChromium)("a page of another origin, in Chromium", () => {
  let harness: Harness;
  let pages: Server;
  let browser: Browser;
  let listed: string;
  beforeAll(async () => {
    pages = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>a page</title>");
    });
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    const { port } = pages.address() as AddressInfo;
    listed = `http://127.0.0.1:${port}`;
    harness = await openHarness({
      vars: {
        CORS_ALLOWED_ORIGINS: listed,
        ROUTES: [{ path: "/v1/echo/few", limits: [{ name: "few", limit: 1, window: "1 h" }] }],
      },
    });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await harness?.stop();
    pages?.close();
  });

  it("reads Retry-After from a 429, after a preflight that the edge answered", async () => {
    const page = await browser.newPage();
    await page.goto(listed);
    const seen = await page.evaluate(async (url) => {
      const init = {
        headers: { "content-type": "application/json", "x-requested-with": "test" },
        credentials: "include",
      };
      const ask = () => fetch(url, init);
      await ask();
      const refused = await ask();
      return {
        status: refused.status,
        retryAfter: refused.headers.get("retry-after"),
        remaining: refused.headers.get("x-ratelimit-remaining"),
        requestId: refused.headers.get("x-request-id"),
        body: (await refused.json()) as { retry_after: number },
      };
    }, `${harness.edge.url}/v1/echo/few`);
    expect(seen.status).toBe(429);
    expect(Number(seen.retryAfter)).toBeGreaterThan(0);
    expect(seen.body.retry_after).toBe(Number(seen.retryAfter));
    expect(seen.remaining).toBe("0");
    expect(seen.requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(
      harness.origin.requests.every((request) => request.method !== "OPTIONS"),
      "no preflight reached the origin",
    ).toBe(true);
  });

  it("is kept out when its origin is not listed", async () => {
    const page = await browser.newPage();
    await page.goto(listed.replace("127.0.0.1", "localhost"));
    const outcome = await page.evaluate(
      (url) =>
        fetch(url).then(
          () => "read",
          () => "refused",
        ),
      `${harness.edge.url}/v1/echo`,
    );
    expect(outcome).toBe("refused");
  });
});
