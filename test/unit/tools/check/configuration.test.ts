import { describe, expect, it } from "vitest";
import type { RouteInput } from "../../../../src/config/route.ts";
import { loadConfig } from "../../../../src/edge/load-config.ts";
import { checkConfiguration as checkWith } from "../../../../src/tools/check/configuration.ts";
import { run } from "../../../../src/tools/check/run.ts";
import { readWranglerFile } from "../../../../src/tools/check/wrangler-file.ts";
import routes from "../../../support/sample-routes.ts";
import { wranglerToml } from "../../../support/wrangler-toml.ts";

/** With the routes of the tests, whatever stands in `src/routes.ts`. */
const checkConfiguration = (
  file: string,
  environment?: string,
  vars: Record<string, string> = {},
  list: readonly RouteInput[] = routes,
) => checkWith(file, environment, vars, list);

describe("npm run check reads wrangler.toml with the Worker's own code", () => {
  it("and names the variable, what was found and the fix", async () => {
    const file = await wranglerToml('[vars]\nORIGIN_URL = "https://api.example"\nREDIS_CACHE_TTL = "soon"\n');
    const { issue } = checkConfiguration(file);
    expect(issue).toContain("REDIS_CACHE_TTL");
    expect(issue).toContain('"soon"');
  });

  it("and looks at every environment, each with its own variables", async () => {
    const file = await wranglerToml(
      '[vars]\nORIGIN_URL = "https://api.example"\n' +
        '[env.staging]\n[env.staging.vars]\nORIGIN_URL = "https://s.example"\nEDGE_MODE = "loose"\n',
    );
    expect(readWranglerFile(file).environments).toEqual(["staging"]);
    expect(checkConfiguration(file).issue).toBeNull();
    expect(checkConfiguration(file, "staging").issue).toContain("EDGE_MODE");
  });

  it("and notes what query.ignore and query.allow take away from what the API is asked", async () => {
    const file = await wranglerToml('[vars]\nORIGIN_URL = "https://api.example"\n');
    const { warnings } = checkConfiguration(file, undefined, {}, [
      { path: "/a", cache: { query: { ignore: ["utm_*", "ref"] } } },
      { path: "/b", cache: { query: { allow: [] } } },
      { path: "/c", cache: { query: { sort: true } } },
    ]);
    expect(warnings).toEqual([
      expect.stringMatching(/^\/a: .*cache\.query\.ignore \(utm_\*, ref\)/),
      expect.stringMatching(/^\/b: .*cache\.query\.allow does not name \(none\)/),
    ]);
  });

  it.each([
    [
      "SESSION_SECRET",
      "found SESSION_SECRET in [env.staging.vars] and in [env.staging.secrets]. It is a secret: remove the line in [env.staging.vars], and run: npx wrangler secret put SESSION_SECRET --env staging",
    ],
    [
      "LOG_LEVEL",
      'found LOG_LEVEL in [env.staging.vars] and in [env.staging.secrets]. It is no secret: remove it from "required".',
    ],
  ])("and says what to do with %s where wrangler finds it twice, and the rest too", async (name, says) => {
    const file = await wranglerToml(
      `[env.staging.vars]\n${name} = "0123456789-0123456789-0123456789"\nORIGN_URL = "x"\n[env.staging.secrets]\nrequired = ["${name}"]\n`,
    );
    const { issue, warnings } = checkConfiguration(file, "staging");
    expect(issue).toBe(`wrangler.toml: ${says}`);
    expect(warnings.join("\n")).toContain("did you mean ORIGIN_URL?");
    expect(issue).not.toContain("0123456789");
  });

  it("and notes where there is no origin", async () => {
    expect(checkConfiguration(await wranglerToml("")).warnings.join()).toContain("ORIGIN_URL");
  });

  it("and knows an origin that is a service binding", async () => {
    const file = await wranglerToml('[[services]]\nbinding = "ORIGIN"\nservice = "api"\n');
    const { issue, warnings } = checkConfiguration(file);
    expect([issue, warnings.join()]).toEqual([null, expect.not.stringContaining("ORIGIN_URL")]);
  });

  it("and notes what works and may surprise, but nothing about secrets, which it cannot see", async () => {
    const file = await wranglerToml('[vars]\nORIGIN_URL = "https://api.example"\nUSE_REDIS_CACHE = false\n');
    const { warnings } = checkConfiguration(file);
    expect(warnings).toContainEqual(expect.stringMatching(/^USE_REDIS_CACHE is false/));
    expect(warnings.join()).not.toMatch(/SECRET|TOKEN/);
  });

  it.each<[what: string, route: object, cors: string, told: boolean]>([
    ["limits", { limits: [{ name: "a", limit: 1, window: "1 m" }] }, "", true],
    ["a session", { access: "session" }, "", true],
    ["one credential", { access: ["key"] }, "", true],
    ["limits of a tier", { tiers: { free: [{ name: "a", limit: 1, window: "1 m" }] } }, "", true],
    ["nothing", {}, "", false],
    ["a cache", { cache: {} }, "", false],
    ["limits", { limits: [{ name: "a", limit: 1, window: "1 m" }] }, "https://app.example.com", false],
  ])(
    "and tells that pages cannot read refusals: a route with %s %j, CORS_ALLOWED_ORIGINS %j: %s",
    async (_, route, cors, told) => {
      const routes = JSON.stringify([{ path: "/x", ...route }]);
      const file = await wranglerToml(
        `[vars]\nORIGIN_URL = "https://api.example"\nCORS_ALLOWED_ORIGINS = "${cors}"\nROUTES = '${routes}'\n`,
      );
      const about = checkConfiguration(file).warnings.filter((text) => text.includes("CORS_ALLOWED_ORIGINS"));
      expect(about).toEqual(told ? [expect.stringMatching(/cannot read .*set CORS_ALLOWED_ORIGINS/)] : []);
    },
  );

  it.each([
    { ALLOW_LIST: "10.0.0.0/33" },
    { DENY_LIST: "2001:db8::5/128" },
    { ALLOW_LIST: "office.example.com" },
    { ROUTES: '[{"path":"/v1/:id{[0-9+}"}]' },
    { ROUTES: '[{"path":"/*"},{"path":"/a"}]' },
    { ROUTES: '[{"path":"/a","limits":[{"name":"n","limit":1e18,"window":"1 m"}]}]' },
    { AUTH_BASE_PATH: "/edge" },
    { ORIGIN_TOKEN: "two\nlines" },
    { CORS_ALLOWED_ORIGINS: "https://a.example,," },
    { UPSTASH_REDIS_REST_URL: "rediss://default:hunter2@eu.upstash.io:6379" },
  ])("and says the Worker's words about %j", async (vars) => {
    const file = await wranglerToml(
      `[vars]\n${Object.entries(vars)
        .map(([name, value]) => `${name} = ${JSON.stringify(value)}`)
        .join("\n")}\n`,
    );
    const { issue } = checkConfiguration(file);
    expect(issue).toContain(Object.keys(vars)[0]);
    expect(() => loadConfig({ ...vars, UPSTASH_REDIS_REST_TOKEN: undefined }, routes)).toThrow(
      issue ?? "nothing",
    );
    expect(issue).not.toContain("hunter2");
  });

  it("and takes variables of the command line for those of the file", async () => {
    const file = await wranglerToml('[vars]\nORIGIN_URL = "https://api.example"\n');
    expect(checkConfiguration(file, undefined, { EDGE_MODE: "loose" }).issue).toContain("EDGE_MODE");
  });

  it("and takes the store's token for granted: it is a secret, and stands in no file", async () => {
    const file = await wranglerToml(
      '[vars]\nORIGIN_URL = "https://api.example"\nUPSTASH_REDIS_REST_URL = "https://eu.upstash.io"\n',
    );
    expect(checkConfiguration(file).issue).toBeNull();
  });
});

const deploy = (file: string, ...args: string[]) =>
  run("node", ["src/tools/deploy/main.ts", "--config", file, "--dry-run", ...args]);

it("npm run deploy refuses an environment that does not exist, before it calls anybody", async () => {
  const file = await wranglerToml('[env.staging.vars]\nORIGIN_URL = "https://api.example"\n');
  const { code, output } = await deploy(file, "--env", "stagin");
  expect(code).toBe(1);
  expect(output).toMatch(/^Not deployed\. .*Did you mean staging\?/);
});

it("npm run deploy reads --var as wrangler does", async () => {
  const { code, output } = await deploy(await wranglerToml(""), "--var", "EDGE_MODE:loose");
  expect(code).toBe(1);
  expect(output).toContain("EDGE_MODE");
});

it("npm run deploy stops at TOML that wrangler cannot read", async () => {
  const { code, output } = await deploy(await wranglerToml("[vars]\nORIGIN_URL = https://api.example\n"));
  expect(code).toBe(1);
  expect(output.trim()).toMatch(
    /^Not deployed\. Environment default: wrangler\.toml:5: found ORIGIN_URL without quotes\. .*$/,
  );
});

describe("CONSOLE_HOST", () => {
  const ASSETS = '[assets]\ndirectory = "public"\nbinding = "ASSETS"\nrun_worker_first = true\n';
  const API = '{ pattern = "api.example", custom_domain = true }';
  const PAGE = '{ pattern = "console.example", custom_domain = true }';
  const file = ({ routes = "", more = "", secrets = "", assets = ASSETS }) =>
    wranglerToml(
      `routes = [${routes}]\n${more}\n[vars]\nORIGIN_URL = "https://origin.example"\nCONSOLE_HOST = "Console.example"\n${assets}${secrets}`,
    );

  it.each<[what: string, options: Parameters<typeof file>[0], warns: RegExp | null]>([
    ["a domain of its own beside the API's", { routes: `${API}, ${PAGE}` }, null],
    [
      "a route by its path",
      { routes: `${API}, { pattern = "console.example/*", zone_name = "example" }` },
      null,
    ],
    ["a pattern that has it", { routes: '{ pattern = "*.example/*", zone_name = "example" }' }, null],
    [
      "no route has it",
      { routes: API },
      /no route of the Worker has that host.*pattern = "console\.example"/,
    ],
    [
      "a pattern of another domain",
      { routes: '{ pattern = "*.a.example/*", zone_name = "example" }' },
      /no route/,
    ],
    ["the only route's host", { routes: PAGE }, /only host of the Worker's routes/],
    ["the only route's, and the API at workers.dev", { routes: PAGE, more: "workers_dev = true" }, null],
    ["no binding of the files", { routes: `${API}, ${PAGE}`, assets: "" }, /no binding ASSETS/],
    [
      "secrets that are required, without ADMIN_TOKEN",
      { routes: `${API}, ${PAGE}`, secrets: '[secrets]\nrequired = ["SERVICE_TOKEN"]\n' },
      /ADMIN_TOKEN is not/,
    ],
    [
      "secrets that are required, with it",
      { routes: `${API}, ${PAGE}`, secrets: '[secrets]\nrequired = ["ADMIN_TOKEN", "METRICS_TOKEN"]\n' },
      null,
    ],
  ])("%s", async (_what, options, warns) => {
    const { issue, warnings } = checkConfiguration(await file(options));
    expect(issue).toBeNull();
    const found = warnings.filter((warning) => warning.includes("CONSOLE_HOST"));
    if (warns) expect(found).toEqual([expect.stringMatching(warns)]);
    else expect(found).toEqual([]);
  });

  it("that is the origin's is an issue", async () => {
    const toml = await wranglerToml('[vars]\nORIGIN_URL = "https://a.example"\nCONSOLE_HOST = "a.example"\n');
    expect(checkConfiguration(toml).issue).toMatch(/CONSOLE_HOST.*ORIGIN_URL/);
  });
});
