import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/config/config-error.ts";
import { loadConfig } from "../../../src/edge/load-config.ts";

const ENV = { ORIGIN_URL: "https://api.example" };
const database = { prepare: () => ({}), batch: async () => [] };
/** A service binding has a method of every name. */
const service = new Proxy(() => {}, { get: () => () => {} });

class Inherited {
  prepare() {}
  async batch() {}
}

describe("SESSION_DB", () => {
  it.each([
    ["is a database", database],
    ["has its methods from a class", new Inherited()],
  ])("%s: it is used", (_, binding) => {
    expect(loadConfig({ ...ENV, SESSION_DB: binding }, []).sessionDatabase).toBe(binding);
  });

  it.each([
    ["is absent", undefined],
    ["is null", null],
    ["is empty", ""],
    ["is blank", "  "],
  ])("%s: there is none", (_, value) => {
    expect(loadConfig({ ...ENV, SESSION_DB: value }, []).sessionDatabase).toBeNull();
  });

  it.each([
    ["a text", "envoyou-sessions"],
    ["a number", 1],
    ["a flag", true],
    ["a list", ["sessions"]],
    ["an object", { id: "0" }],
    ["a namespace of KV", { get() {}, put() {}, list() {}, delete() {} }],
    ["a service binding", service],
    ["half a database", { prepare() {} }],
    ["the other half", { batch() {} }],
    ["a function", () => {}],
  ])("is %s: it is an error that says what to do, and no value", (_, value) => {
    const load = () => loadConfig({ ...ENV, SESSION_DB: value }, []);
    expect(load).toThrow(ConfigError);
    expect(load).toThrow(/SESSION_DB: found a .*\[\[d1_databases\]\]/);
    expect(load).not.toThrow(/envoyou-sessions/);
  });

  it("in the place of Redis: nobody is warned that sessions are the isolate's", () => {
    const env = { ...ENV, USE_REDIS_SESSIONS: "false" };
    const warned = (more: object) =>
      loadConfig({ ...env, ...more }, []).warnings.some((each) => each.includes("USE_REDIS_SESSIONS"));
    expect(warned({})).toBe(true);
    expect(warned({ SESSION_DB: database })).toBe(false);
  });
});
