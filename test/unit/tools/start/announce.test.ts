import { expect, it } from "vitest";
import { announce } from "../../../../src/tools/start/announce.ts";
import { tour } from "../../../../src/tools/start/tour.ts";

const running = (sample: boolean, more: object = {}) =>
  announce({
    edge: "http://localhost:8787",
    page: "http://127.0.0.1:8788",
    console: null,
    store: "none",
    database: null,
    origin: sample ? "http://127.0.0.1:1   (sample)" : "http://localhost:4000   (your API, from --origin)",
    sample,
    sampleRoutes: true,
    madeToken: null,
    varsFile: null,
    tour: tour({ url: "http://localhost:8787", serviceToken: "s", adminToken: "a", sample }),
    ...more,
  });

it("with the sample, what to do next is to name one's own API", () => {
  expect(running(true)).toMatch(/Next:\n {2}your own API .*--origin/);
});

it("with an own API nothing of the sample is shown as if it existed", () => {
  const text = running(false);
  expect(text).not.toContain("/v1/emissions");
  expect(text).toContain("http://localhost:4000   (your API, from --origin)");
  expect(text).toMatch(/Next:\n {2}your routes /);
  expect(text).toContain("written for the sample API");
  expect(running(false, { sampleRoutes: false })).not.toContain("written for the sample API");
});

it("names the page and the file only where they are", () => {
  expect(running(true, { page: null })).not.toContain("page  ");
  const console = "http://console.localhost:8787/edge/console";
  expect(running(true)).not.toContain("console");
  expect(running(true, { console })).toContain(
    `  console  ${console}   (for operators; its token is ADMIN_TOKEN`,
  );
  expect(running(true)).not.toContain("database");
  expect(running(true, { database: "SESSION_DB" })).toContain("  database SESSION_DB\n");
  expect(running(true)).not.toContain("but for those in");
  expect(running(true, { varsFile: ".dev.vars" })).toContain("but for those in .dev.vars");
});

it.each([
  { what: "an own API and a made token", sample: false, madeToken: "t0", says: true },
  { what: "an own API with a token in the file", sample: false, madeToken: null, says: false },
  { what: "the sample API, which has it", sample: true, madeToken: "t0", says: false },
])("$what: the token that the API must check stands there: $says", ({ sample, madeToken, says }) => {
  const text = running(sample, { madeToken });
  expect(/^ {2}token +t0 .*X-Edge-Token.*ORIGIN_TOKEN=… in \.dev\.vars/m.test(text)).toBe(says);
});
