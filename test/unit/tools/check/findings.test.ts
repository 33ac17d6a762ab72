import { describe, expect, it } from "vitest";
import { checkConfiguration } from "../../../../src/tools/check/configuration.ts";
import { wranglerToml } from "../../../support/wrangler-toml.ts";

const ORIGIN = '[vars]\nORIGIN_URL = "https://api.example"\n';
const check = async (text: string, environment?: string, more: Record<string, string> = {}) =>
  checkConfiguration(await wranglerToml(text), environment, more, []);

describe("a name that fell into another table is an issue, with its line and its place", () => {
  it.each<[what: string, written: string, environment: string | undefined, told: RegExp]>([
    [
      "routes",
      `${ORIGIN}routes = ["api.example/*"]`,
      undefined,
      /^wrangler\.toml:6: found routes in \[vars\]\..* Move it above the first \[table\]/,
    ],
    ["route", `${ORIGIN}route = "api.example/*"`, undefined, /:6: found route in \[vars\]/],
    [
      "workers_dev, in quotes too",
      `${ORIGIN}workers_dev = "false"`,
      undefined,
      /:6: found workers_dev in \[vars\]/,
    ],
    [
      "services",
      `${ORIGIN}services = [{ binding = "ORIGIN", service = "api" }]`,
      undefined,
      /:6: found services in \[vars\]/,
    ],
    [
      "routes",
      `[observability]\nenabled = true\nroutes = ["api.example/*"]`,
      undefined,
      /:6: found routes in \[observability\]/,
    ],
    [
      "routes",
      `[alias]\n"a" = "./b.ts"\nroutes = ["api.example/*"]`,
      undefined,
      /:6: found routes in \[alias\]/,
    ],
    [
      "routes",
      `[[services]]\nbinding = "ORIGIN"\nservice = "api"\nroutes = ["api.example/*"]`,
      undefined,
      /:7: found routes in \[services\]/,
    ],
    [
      "an environment's",
      `[env.staging.vars]\nORIGIN_URL = "https://api.example"\nroutes = ["s.example/*"]`,
      "staging",
      /:6: found routes in \[env\.staging\.vars\].*or directly below \[env\.staging\]\./,
    ],
    [
      "a variable",
      `[observability]\nenabled = true\nEDGE_MODE = "observe"`,
      undefined,
      /:6: found EDGE_MODE in \[observability\].* Move it below \[vars\]\./,
    ],
    [
      "a variable above all",
      `EDGE_MODE = "observe"\n${ORIGIN}`,
      undefined,
      /:4: found EDGE_MODE above the first \[table\].* Move it below \[vars\]\./,
    ],
    [
      "a secret",
      `[env.staging.limits]\ncpu_ms = 50\nSESSION_SECRET = "x"`,
      "staging",
      /:6: found SESSION_SECRET .*npx wrangler secret put SESSION_SECRET/,
    ],
    [
      "[[vars]]",
      '[[vars]]\nORIGIN_URL = "https://api.example"',
      undefined,
      /\[\[vars\]\], which is a list.* Write \[vars\]/,
    ],
    // https://github.com/cloudflare/workers-sdk/issues/2945
    [
      "compatibility_flags after [vars]",
      '[vars]\nMY_ENV_VAR = "foo"\n\ncompatibility_flags = [ "nodejs_compat" ]',
      undefined,
      /:7: found compatibility_flags in \[vars\]/,
    ],
    // https://github.com/cloudflare/workers-sdk/issues/5681
    [
      "tail_consumer after [[kv_namespaces]]",
      '[[kv_namespaces]]\nbinding = "KV"\nid = "1"\n\ntail_consumer = [{ service = "t" }]',
      undefined,
      /:8: found tail_consumer in \[kv_namespaces\].* Move it, as tail_consumers,/,
    ],
    // https://github.com/cloudflare/workers-sdk/issues/7529
    [
      "browser after [observability]",
      '[observability]\nenabled = true\n\nbrowser = { binding = "MYBROWSER" }',
      undefined,
      /:7: found browser in \[observability\]/,
    ],
  ])("%s: %j", async (_what, written, environment, told) => {
    expect((await check(written, environment)).issue).toMatch(told);
  });

  it.each([
    ['[vars]\nsite = "blue"\nlimits = "none"'],
    ['[env.dev.vars]\nORIGIN_URL = "https://api.example"'],
    ['[vars.MY_JSON]\nname = "x"\nroutes = ["a"]'],
    ['[[services]]\nbinding = "ORIGIN"\nservice = "api"\nprops = { name = "x" }'],
  ])("and none where it may stand: %j", async (written) => {
    expect((await check(written)).issue).toBeNull();
  });

  it.each([
    [
      'rotues = ["api.example/*"]',
      /:4: wrangler does not know rotues, and ignores it\. Did you mean routes\?/,
    ],
    ["worker_dev = false", /Did you mean workers_dev\?/],
    [
      "[observability]\nenabled = true\nhead_samplingrate = 1",
      /:6: wrangler does not know head_samplingrate in \[observability\].*mean head_sampling_rate\?/,
    ],
    ['[environments.staging]\nname = "s"', /know environments.*Did you mean env\?/],
    ['[staging.vars]\nA = "1"', /know staging.*Did you mean \[env\.staging\]\?/],
    ["something_new = 1", /:4: wrangler does not know something_new, and ignores it\.$/],
  ])("and one that wrangler does not know is a warning: %j", async (written, told) => {
    const { issue, warnings } = await check(written);
    expect(issue).toBeNull();
    expect(warnings).toContainEqual(expect.stringMatching(told));
  });
});

describe("an environment does not inherit", () => {
  const about = async (written: string) =>
    (await check(written, "staging")).warnings.filter((each) => each.includes("does not inherit"));

  it.each<[written: string, told: RegExp[]]>([
    [
      `${ORIGIN}EDGE_MODE = "observe"\n[env.staging]\nname = "s"`,
      [/\[env\.staging\] has no ORIGIN_URL, EDGE_MODE: .*\[env\.staging\.vars\]/],
    ],
    [
      `${ORIGIN}EDGE_MODE = "observe"\n[env.staging.vars]\nORIGIN_URL = "https://s.example"`,
      [/has no EDGE_MODE:/],
    ],
    [
      '[[services]]\nbinding = "ORIGIN"\nservice = "api"\n[env.staging]\nname = "s"',
      [/has no services: .*\[\[env\.staging\.services\]\]/],
    ],
    [
      '[[d1_databases]]\nbinding = "DB"\ndatabase_id = "1"\n[env.staging]\nname = "s"',
      [/\[\[env\.staging\.d1_databases\]\]/],
    ],
    [
      '[secrets]\nrequired = ["ORIGIN_TOKEN"]\n[env.staging]\nname = "s"',
      [/has no secrets: .*\[env\.staging\.secrets\]/],
    ],
    // https://github.com/cloudflare/workers-sdk/issues/4351: [vars] below [env.staging] is the top level's.
    ['[env.staging]\n\n[vars]\nfoo = "bar"', [/has no foo: .*\[env\.staging\.vars\]/]],
    [`${ORIGIN}[env.staging.vars]\nORIGIN_URL = "https://s.example"\nMORE = "x"`, []],
    // What is misspelt or a secret is not to be copied: other warnings say what to do with it.
    [`${ORIGIN}ORIGN_URL = "x"\n[env.staging.vars]\nORIGIN_URL = "https://s.example"`, []],
    [`${ORIGIN}SESSION_SECRET = "x"\n[env.staging.vars]\nORIGIN_URL = "https://s.example"`, []],
    [`${ORIGIN}MY_API_KEY = "x"\n[env.staging.vars]\nORIGIN_URL = "https://s.example"`, []],
    [`${ORIGIN}SESION_SECRET = "x"\nMINE = "y"\n[env.staging]\nname = "s"`, [/has no ORIGIN_URL, MINE:/]],
    [`workers_dev = false\n[observability]\nenabled = true\n[env.staging]\nname = "s"`, []],
  ])("%j", async (written, told) => {
    expect(await about(written)).toEqual(told.map((each) => expect.stringMatching(each)));
  });
});

describe("names that are nearly the edge's", () => {
  it("are told wherever they stand, and only told", async () => {
    const written = `${ORIGIN}ORIGN_TOKEN = "x"\nMY_OWN = "y"\n[secrets]\nrequired = ["SESION_SECRET"]\n[[services]]\nbinding = "ORIGN"\nservice = "api"`;
    const { issue, warnings } = await check(written, undefined, { EDGE_MOD: "observe" });
    expect(issue).toBeNull();
    expect(warnings.filter((each) => each.includes("did you mean"))).toEqual([
      "wrangler.toml [vars]: the edge does not read ORIGN_TOKEN: did you mean ORIGIN_TOKEN?",
      "--var: the edge does not read EDGE_MOD: did you mean EDGE_MODE?",
      "wrangler.toml [secrets]: the edge does not read SESION_SECRET: did you mean SESSION_SECRET?",
      "wrangler.toml [services]: the edge does not read ORIGN: did you mean ORIGIN?",
    ]);
  });

  it.each([
    ["stagin", /has no \[env\.stagin\]\. Did you mean staging\?/],
    ["live", /has no \[env\.live\]\. It has staging, production\./],
  ])("--env %s", async (environment, told) => {
    expect((await check("[env.staging]\n[env.production]", environment)).issue).toMatch(told);
  });
});

describe("secrets in plain text", () => {
  it.each<[line: string, told: RegExp | null]>([
    [
      'SESSION_SECRET = "0123456789abcdef0123456789abcdef"',
      /SESSION_SECRET is a secret in plain text.*npx wrangler secret put SESSION_SECRET$/,
    ],
    ['JWT_SECRET_KEY = "0123456789abcdef0123456789abcdef"', /npx wrangler secret put JWT_SECRET_KEY$/],
    ['ORIGN_TOKEN = "0123456789abcdef"', /ORIGN_TOKEN is a secret.*secret put ORIGIN_TOKEN$/],
    ['STRIPE_API_KEY = "sk_live_1"', /secret put STRIPE_API_KEY$/],
    // https://github.com/talex-touch/tuff/issues/556: an empty variable overwrote the secret at each deployment.
    ['SERVICE_TOKEN = ""', /SERVICE_TOKEN is empty, and takes the place of the Worker's secret/],
    ['JWT_AUDIENCE = "api"', null],
    ['MY_TOKEN = ""', null],
  ])("%s", async (line, told) => {
    const { warnings } = await check(`${ORIGIN}${line}`);
    const about = warnings.filter((each) => /plain text|is empty/.test(each));
    expect(about).toEqual(told === null ? [] : [expect.stringMatching(told)]);
    expect(warnings.join()).not.toMatch(/0123456789abcdef|sk_live/);
  });

  it("of an environment and of --var", async () => {
    const written =
      '[env.staging.vars]\nORIGIN_URL = "https://api.example"\nADMIN_TOKEN = "0123456789abcdef"';
    const { warnings } = await check(written, "staging", { SERVICE_TOKEN: "0123456789abcdef" });
    expect(warnings).toContainEqual(
      expect.stringMatching(/\[env\.staging\.vars\]: ADMIN_TOKEN .*secret put ADMIN_TOKEN --env staging$/),
    );
    expect(warnings).toContainEqual(expect.stringMatching(/^--var: SERVICE_TOKEN /));
  });
});

describe("addresses", () => {
  const DOMAIN = 'routes = [{ pattern = "edge.example", custom_domain = true }]\n';
  it.each<[written: string, told: RegExp | null]>([
    [`${DOMAIN}workers_dev = true\n${ORIGIN}`, /no WAF rule.*Write workers_dev = false/],
    [`${DOMAIN}preview_urls = true\n${ORIGIN}`, /Write preview_urls = false/],
    [`${DOMAIN}workers_dev = false\n${ORIGIN}`, null],
    [`${DOMAIN}${ORIGIN}`, null],
    [ORIGIN, null],
    [`workers_dev = true\n${ORIGIN}`, null],
    [`workers_dev = false\n${ORIGIN}`, /the Worker has no address/],
    [`${DOMAIN}[vars]\nORIGIN_URL = "https://edge.example/api"`, /ORIGIN_URL is the Worker's own domain/],
    [
      '[vars]\nORIGIN_URL = "https://api.example.com"',
      /ORIGIN_URL is still the example's address \(api\.example\.com\)/,
    ],
    ['[vars]\nORIGIN_URL = "https://api.my-example.com"', null],
  ])("%j", async (written, told) => {
    expect((await check(written)).warnings).toEqual(told === null ? [] : [expect.stringMatching(told)]);
  });
});

describe("an address that a deployed Worker should not have is named", () => {
  it.each([
    ["ORIGIN_URL", "http://api.mine.net", /^ORIGIN_URL begins with http:.*ORIGIN_TOKEN.*Write https/],
    ["UPSTASH_REDIS_REST_URL", "http://eu1.upstash.io", /^UPSTASH_REDIS_REST_URL begins with http:.*token/],
    ["JWT_JWKS_URL", " HTTP://id.mine.net/jwks ", /^JWT_JWKS_URL begins with http:.*keys/],
    ["ORIGIN_URL", "http://localhost:4000", /^ORIGIN_URL is this machine \(localhost\)/],
    ["ORIGIN_URL", "https://api.localhost/v1", /^ORIGIN_URL is this machine/],
    ["UPSTASH_REDIS_REST_URL", "http://127.0.0.1:8079", /^UPSTASH_REDIS_REST_URL is this machine/],
    ["ORIGIN_URL", "http://[::1]:4000", /^ORIGIN_URL is this machine/],
    ["ORIGIN_URL", "https://api.mine.net", null],
    ["UPSTASH_REDIS_REST_URL", "https://eu1.upstash.io", null],
    ["JWT_JWKS_URL", "https://id.mine.net/jwks", null],
    ["ORIGIN_URL", "https://localhost.mine.net", null],
  ])("%s = %s", async (name, value, said) => {
    const { warnings } = await check(`[vars]\n${name} = "${value}"\n`);
    const found = warnings.filter((each) => /begins with http:|is this machine/.test(each));
    expect(found).toEqual(said === null ? [] : [expect.stringMatching(said)]);
  });
});
