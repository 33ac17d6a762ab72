import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium } from "../support/chromium.ts";
import { type Consoles, startConsoles, shownText as text } from "../support/console/consoles.ts";

describe.skipIf(!hasChromium)("what the console does, in Chromium", () => {
  let consoles: Consoles;
  beforeAll(async () => {
    consoles = await startConsoles();
  });
  afterAll(() => consoles?.stop());

  it("shows an asked user's windows at the tier it has, and an address' problem by its field", async () => {
    const page = await consoles.openSignedIn("tier");
    await page.selectOption("#lookup-kind", "key");
    await page.fill("#lookup-value", "tester");
    await page.keyboard.press("Enter");
    await page.locator("#lookup-result table").first().waitFor();
    expect(await text(page, "#lookup-result")).toContain("Its tier is premium.");
    expect(await text(page, "#lookup-result table >> nth=0")).toMatch(
      /burst\s+GET,HEAD \/v1\/emissions\/\*\s+premium\s+300 of 300/,
    );
    await page.selectOption("#lookup-kind", "address");
    await page.fill("#lookup-value", "nowhere");
    await page.keyboard.press("Enter");
    await page.locator("#lookup-result .problem").waitFor();
    expect(await text(page, "#lookup-result")).toMatch(
      /Caller not understood[\s\S]*address must be an IP address/,
    );
    expect(await page.getAttribute("#lookup-value", "aria-invalid")).toBe("true");
  });

  it("purges an address after it has asked, and not where it is told not to", async () => {
    const page = await consoles.openSignedIn("purge");
    const cached = async () =>
      (await consoles.harness.edge.fetch("/v1/emissions/units")).headers.get("x-cache");
    await cached();
    expect(await cached()).toBe("HIT");
    await page.fill("#purge-list", `${consoles.harness.edge.url}/v1/emissions/units`);
    await page.click("#purge-form button[type=submit]");
    await page.keyboard.press("Escape");
    await page.locator("#ask").waitFor({ state: "hidden" });
    expect(await cached()).toBe("HIT");
    await page.click("#purge-form button[type=submit]");
    await page.click("#ask-yes");
    await page.locator("#purge-result .notice").waitFor();
    expect(await text(page, "#purge-result")).toContain("It reaches every isolate within seconds.");
    expect(await cached()).toBe("MISS");
    await page.locator("#purges-answer", { hasText: "it withdrew one address" }).waitFor();
    await page.selectOption("#purge-kind", "prefixes");
    await page.fill("#purge-list", "api.example.com/no-slash");
    await page.click("#purge-form button[type=submit]");
    await page.click("#ask-yes");
    await page.locator("#purge-result .problem").waitFor();
    expect(await text(page, "#purge-result")).toContain(
      "prefixes[0] must be a host and a path that ends with a /",
    );
  });

  it("warms paths, and shows how far it is", async () => {
    const page = await consoles.openSignedIn("warm");
    await page.fill("#warm-host", new URL(consoles.harness.edge.url).host);
    await page.fill("#warm-list", "/v1/emissions/units?warm=1\n/v1/emissions/units?warm=2\n\n/v1/status/500");
    await page.click("#warm-form button[type=submit]");
    await page.locator("#warm-result .notice").waitFor();
    expect(await text(page, "#warm-result")).toMatch(
      /^Warmed 3 paths\.\s+2 answers stored, 0 fresh already, 1 failed\./,
    );
    expect(await page.getAttribute("#warm-progress", "max")).toBe("3");
    expect(await page.evaluate("document.getElementById('warm-progress').value")).toBe(3);
    expect((await consoles.harness.edge.fetch("/v1/emissions/units?warm=1")).headers.get("x-cache")).toBe(
      "HIT",
    );
  });

  it("says which route a method and a path match, and why, whatever the path is", async () => {
    const page = await consoles.openSignedIn("route");
    await page.fill("#match-path", "/v1/emissions/factors?x=1");
    await page.click("#match-form button");
    await page.locator("#match-result", { hasText: "It matches" }).waitFor();
    expect(await text(page, "#match-result")).toMatch(
      /GET,HEAD \/v1\/emissions\/\*[\s\S]*burst: 30 per 1 m[\s\S]*scope shared/,
    );
    await page.fill("#match-path", "/edge/limits/user:ada");
    await page.click("#match-form button");
    await page.locator("#match-result", { hasText: "The edge answers it itself" }).waitFor();
    await page.fill("#match-path", "/<img src=x onerror=alert(1)>");
    await page.click("#match-form button");
    await page.locator("#match-result", { hasText: "No route matches" }).waitFor();
    expect(await page.locator("#match-result img").count()).toBe(0);
  });

  it("ends a user's sessions, and forgets a key", async () => {
    const page = await consoles.openSignedIn("ends");
    const token = await consoles.harness.token("grace");
    const status = async () =>
      (
        await consoles.harness.edge.fetch("/v1/user/profile", {
          headers: { authorization: `Bearer ${token}` },
        })
      ).status;
    expect(await status()).not.toBe(401);
    await page.fill("#sessions-user", "grace");
    await page.keyboard.press("Enter");
    await page.click("#ask-yes");
    await page.locator("#sessions-result .notice").waitFor();
    expect(await text(page, "#sessions-result")).toBe("1 session of grace ended.");
    expect(await status()).toBe(401);
    await page.fill("#key-value", "a key that nobody has verified");
    await page.keyboard.press("Enter");
    await page.locator("#key-result", { hasText: "does not know this key" }).waitFor();
    await page.click("#key-end");
    await page.click("#ask-yes");
    await page.locator("#key-result", { hasText: "The key is forgotten." }).waitFor();
  });

  it("has thrown nothing, written nothing to the browser's console and kept to its policy", () => {
    expect(consoles.opened.length).toBeGreaterThan(4);
    expect(consoles.opened.filter(({ issues }) => issues.length > 0)).toEqual([]);
  });
});
