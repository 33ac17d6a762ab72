import { expect, it } from "vitest";
import { developmentVars, emptyVars } from "../../../../src/tools/start/development-vars.ts";

const store = { url: "http://127.0.0.1:8079", token: "t" };

it("every run has secrets of its own", () => {
  const [one, two] = [developmentVars({ store, own: {} }), developmentVars({ store, own: {} })];
  for (const name of ["ORIGIN_TOKEN", "SESSION_SECRET", "SERVICE_TOKEN", "ADMIN_TOKEN", "IDENTITY_SECRET"]) {
    expect(one[name]?.length).toBeGreaterThanOrEqual(32);
    expect(one[name]).not.toBe(two[name]);
  }
});

it("the console has a name of its own on this machine, and knows the edge's", () => {
  const vars = developmentVars({ store, own: {}, port: 9000 });
  expect(vars).toMatchObject({ CONSOLE_HOST: "console.localhost", API_HOST: "localhost:9000" });
  expect(developmentVars({ store, own: { CONSOLE_HOST: "" } }).CONSOLE_HOST).toBe("");
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

it.each<{ values: Record<string, string>; names: string | null }>([
  { values: {}, names: null },
  { values: { SESSION_SECRET: "x" }, names: null },
  { values: { SESSION_SECRET: "" }, names: "SESSION_SECRET is" },
  { values: { SESSION_SECRET: "  " }, names: "SESSION_SECRET is" },
  { values: { SERVICE_TOKEN: "", ORIGIN_TOKEN: "" }, names: "ORIGIN_TOKEN, SERVICE_TOKEN are" },
  { values: { UPSTASH_REDIS_REST_URL: "", ADMIN_TOKEN: "x" }, names: "UPSTASH_REDIS_REST_URL is" },
  // No run makes these: an empty one is no loss.
  { values: { LOG_LEVEL: "", MY_OWN: "", ORIGIN_URL: "" }, names: null },
])("$values: what is empty is said in one line", ({ values, names }) => {
  const said = emptyVars({ file: ".dev.vars", values });
  expect(said.length).toBe(names ? 1 : 0);
  if (names) expect(said[0]).toContain(`.dev.vars: ${names} empty, so unset`);
});

it("a copy of the example, as it is, is said to be empty", async () => {
  const { readFileSync } = await import("node:fs");
  const lines = readFileSync(".dev.vars.example", "utf8").matchAll(/^([A-Z_]+)=(.*)$/gm);
  const values = Object.fromEntries([...lines].map(([, name = "", value = ""]) => [name, value]));
  expect(Object.keys(values).length).toBeGreaterThan(3);
  for (const name of Object.keys(values)) expect(emptyVars({ file: ".dev.vars", values })[0]).toContain(name);
});
