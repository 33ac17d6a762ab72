import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OPENAPI_FILE } from "../../src/tools/openapi/document.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";

const PATH = "/edge/openapi.json";

let bound: Harness;
let moved: Harness;
let without: Harness;
beforeAll(async () => {
  [bound, moved, without] = await Promise.all([
    openHarness({ assets: true }),
    openHarness({ assets: true, vars: { AUTH_BASE_PATH: "/health-auth", HEALTH_PATH: "/up/auth" } }),
    openHarness(),
  ]);
});
afterAll(async () => {
  await Promise.all([bound, moved, without].map((harness) => harness.stop()));
});

describe("the OpenAPI document", () => {
  it("is the file, for anybody, and known by its ETag", async () => {
    const response = await bound.edge.fetch(PATH);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toBe(await readFile(OPENAPI_FILE, "utf8"));
    const again = await bound.edge.fetch(PATH, {
      headers: { "if-none-match": response.headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(304);
    const head = await bound.edge.fetch(PATH, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("has the paths of this deployment", async () => {
    const { paths } = (await (await moved.edge.fetch(PATH)).json()) as { paths: Record<string, object> };
    const names = Object.keys(paths);
    expect(names).toEqual(
      expect.arrayContaining(["/health-auth/sessions", "/up/auth", "/up/auth/live", PATH]),
    );
    expect(names.filter((name) => /^\/(auth|health)(\/|$)/.test(name))).toEqual([]);
  });

  it("is a 404 of the edge's where the files are not bound", async () => {
    const response = await without.edge.fetch(PATH);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "NOT_FOUND" });
    expect(without.origin.requests).toEqual([]);
  });

  it.each(["/openapi.json", "/edge/", "/edge/index.html", "/Edge/openapi.json"])(
    "no file is served at %s, because the Worker runs first",
    async (path) => {
      const response = await bound.edge.fetch(path, { redirect: "manual" });
      expect((await response.text()).includes("operationId"), path).toBe(false);
      expect([401, 404]).toContain(response.status);
    },
  );

  it.each(["POST", "DELETE", "PUT"])("with %s there is nothing without a token", async (method) => {
    expect((await bound.edge.fetch(PATH, { method })).status).toBe(401);
  });
});
