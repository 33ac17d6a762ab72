import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { areOfSample, quoted, tour } from "../../../../src/tools/start/tour.ts";

const options = { url: "http://localhost:8787", serviceToken: "s", adminToken: "a" };
const shells = (more: object = {}) => tour({ ...options, ...more }).stops.map(({ shell }) => shell);

it.each([
  "plain-token_1",
  "pa$HOME",
  "a b",
  "it's",
  'dou"ble',
  "back\\slash",
  "`id`",
  "$(id)",
  "",
  "a;b",
  "é",
  "!x",
  "a\nb",
])("a shell reads %j as it is", (token) => {
  const printed = execFileSync("sh", ["-c", `TOKEN=${quoted(token)}; printf '%s' "$TOKEN"`], {
    encoding: "utf8",
  });
  expect(printed).toBe(token);
});

it("with an own API there is no path of the sample", () => {
  const lines = shells({ sample: false });
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join("\n")).not.toContain("/v1/");
  expect(shells().join("\n")).toContain("/v1/emissions/factors");
});

it.each([
  { more: { serviceToken: "" }, sessions: false, purge: true },
  { more: { sessions: false }, sessions: false, purge: true },
  { more: { adminToken: "" }, sessions: true, purge: false },
  { more: { sample: false, serviceToken: "" }, sessions: false, purge: false },
  { more: { sample: false }, sessions: true, purge: false },
  { more: {}, sessions: true, purge: true },
])("steps that a secret is missing for are left out: $more", ({ more, sessions, purge }) => {
  const lines = shells(more).join("\n");
  expect(lines.includes("$TOKEN")).toBe(sessions);
  expect(lines.includes("/edge/cache/purge")).toBe(purge);
  expect(lines).toContain("/health");
});

it("a step whose route is not there is left out", () => {
  const without = shells({ routes: [{ path: "/v1/user/*" }] });
  expect(without.join("\n")).not.toContain("/v1/emissions");
  expect(without.join("\n")).not.toContain("/v1/auth/login");
  expect(without.join("\n")).toContain("/v1/user/profile");
});

it("the edge's own paths are where the variables say", () => {
  const lines = shells({ healthPath: "/status", authPath: "/account" }).join("\n");
  expect(lines).toContain("$EDGE/status");
  expect(lines).toContain("$EDGE/account/sessions");
  expect(lines).not.toMatch(/\$EDGE\/(auth|health)/);
});

it.each([
  {
    what: "those of the project",
    paths: ["/v1/emissions/*", "/x", "/v1/auth/login", "/v1/user/*"],
    are: true,
  },
  { what: "none", paths: [], are: false },
  { what: "the developer's", paths: ["/items", "/login"], are: false },
  { what: "the README's, changed in one", paths: ["/v1/emissions/*", "/login", "/v1/user/*"], are: false },
])("routes are the sample's: $what", ({ paths, are }) => {
  expect(areOfSample(paths.map((path) => ({ path })))).toBe(are);
});
