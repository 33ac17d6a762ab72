import { expect, it } from "vitest";
import { developmentVars } from "../../../../src/tools/start/development-vars.ts";

const store = { url: "http://127.0.0.1:8079", token: "t" };

it("every run has secrets of its own", () => {
  const [one, two] = [developmentVars({ store, own: {} }), developmentVars({ store, own: {} })];
  for (const name of ["ORIGIN_TOKEN", "SESSION_SECRET", "SERVICE_TOKEN", "ADMIN_TOKEN", "IDENTITY_SECRET"]) {
    expect(one[name]?.length).toBeGreaterThanOrEqual(32);
    expect(one[name]).not.toBe(two[name]);
  }
});

it("the developer's own variables replace them, empty ones too", () => {
  expect(developmentVars({ store, own: { ADMIN_TOKEN: "mine", SERVICE_TOKEN: "" } })).toMatchObject({
    ADMIN_TOKEN: "mine",
    SERVICE_TOKEN: "",
    UPSTASH_REDIS_REST_URL: store.url,
  });
});

it("without a store, one that wrangler.toml names is switched off", () => {
  expect(developmentVars({ store: null, own: {} })).toMatchObject({
    UPSTASH_REDIS_REST_URL: "",
    UPSTASH_REDIS_REST_TOKEN: "",
  });
});
