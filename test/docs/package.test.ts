import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { type Analysis, checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../src/tools/check/run.ts";
import { SURFACES, surfaceFile, surfaceReport } from "../../src/tools/package/surface.ts";
import { type Packed, packed } from "./packed.ts";

const exec = promisify(execFile);

let folder: string;
let installed: Packed;
beforeAll(async () => {
  installed = await packed();
  folder = installed.folder;
});
afterAll(() => installed?.remove());

/** A project in a folder of its own, with the package installed. */
async function project(name: string, files: Record<string, string>): Promise<string> {
  const own = join(folder, name);
  await mkdir(own);
  for (const [path, text] of Object.entries(files)) await writeFile(join(own, path), text);
  return own;
}

const APP = `
import { Redis } from "@upstash/redis";
import { createEdge, createRequester, defineRoutes, type EdgeEnv } from "envoyou-edge";
import { Hono } from "hono";

export const routes = defineRoutes([{ path: "/v1/*", limits: [{ name: "all", limit: 5, window: "1 m" }] }]);
export const withRedis = createEdge({ redis: new Redis(createRequester({ url: "https://x.upstash.io", token: "t" })) });
const { rateLimit, edge } = createEdge({ logLevel: "error" });
const app = new Hono<EdgeEnv>();
app.use("/api/*", rateLimit([{ name: "api", limit: 2, window: "1 d" }]));
// @ts-expect-error There is no such window.
export const window = () => edge({ limits: [{ name: "api", limit: 60, window: "1 fortnight" }] });
// @ts-expect-error There is no such algorithm.
export const algorithm = () => edge({ limits: [{ name: "api", limit: 60, window: "1 m", algorithm: "leaky" }] });
export const algorithms = () => edge({
  limits: [
    { name: "log", limit: 60, window: "1 m", algorithm: "sliding-log" },
    { name: "bucket", capacity: 60, refill: 1, window: "1 s", algorithm: "token-bucket" },
  ],
});
// @ts-expect-error A bucket has no limit.
export const bucket = () => edge({ limits: [{ name: "b", limit: 60, window: "1 s", algorithm: "token-bucket" }] });
// @ts-expect-error There is no such option.
export const option = () => createEdge({ redsi: 1 });
app.get("/api/me", (c) => {
  const id: string | undefined = c.var.user?.id;
  // @ts-expect-error It is no number.
  const number: number | undefined = c.var.user?.id;
  return c.json({ id: id ?? null, number: number ?? null });
});
export default app;
`;

const PAGE = `
import { createClient, type EdgeProblemCode, edgeProblem, rateLimits } from "envoyou-edge/client";

const api = createClient({ baseUrl: "https://api.example.com" });
export async function load(): Promise<string> {
  const response = await api.fetch("/v1/items", { waitSeconds: 5 });
  const code: EdgeProblemCode | undefined = (await edgeProblem(response))?.code;
  // @ts-expect-error There is no such code.
  if (code === "NO_SUCH_CODE") return "";
  const ended = await api.sessions.signOut();
  if (ended.kind === "unavailable") return String(ended.retryAfterSeconds);
  // @ts-expect-error Only what is unavailable has a time to wait.
  if (ended.kind === "pending") return String(ended.retryAfterSeconds);
  return rateLimits(response.headers).map(({ remaining }) => remaining).join();
}
`;

/** The tsconfig of Hono's template for Workers. */
const OF_HONO = {
  target: "ESNext",
  module: "ESNext",
  moduleResolution: "Bundler",
  strict: true,
  skipLibCheck: true,
  lib: ["ESNext"],
  types: [],
  jsx: "react-jsx",
  jsxImportSource: "hono/jsx",
};

describe("an app that has installed the package type-checks", () => {
  it.each<[string, object]>([
    ["hono-template", OF_HONO],
    ["pages", { ...OF_HONO, lib: ["ESNext", "DOM", "DOM.Iterable"], skipLibCheck: false }],
    ["nodenext", { target: "ES2023", module: "NodeNext", strict: true, skipLibCheck: true, types: ["node"] }],
    [
      "strictest",
      {
        ...OF_HONO,
        lib: ["ESNext", "DOM", "DOM.Iterable"],
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        isolatedModules: true,
      },
    ],
  ])("with the settings of %s", async (name, compilerOptions) => {
    const own = await project(name, {
      "package.json": '{ "type": "module" }',
      "tsconfig.json": JSON.stringify({ compilerOptions: { ...compilerOptions, noEmit: true } }),
      "app.ts": APP,
      ...(name !== "hono-template" && { "page.ts": PAGE }),
    });
    const { code, output } = await run("tsc", ["-p", own]);
    expect(output).toBe("");
    expect(code).toBe(0);
  });
});

it.each(Object.entries(SURFACES))(
  "what an app sees of the entry %s is what docs/api says",
  async (entry, file) => {
    const report = await surfaceReport(join(folder, "package/dist/package/types"), file);
    expect(report).toContain("\nexport declare ");
    // What an app sees has a name that it may import: nothing of the inside shows through.
    const [, exported = ""] = /^\/\/ Exports: (.*)$/m.exec(report) ?? [];
    const seen = [
      ...report.matchAll(/^(?:export )?(?:declare )?(?:interface|type|class|const|function) (\w+)/gm),
    ];
    expect([...new Set(seen.map(([, name]) => name))].sort()).toEqual(exported.split(", "));
    expect(report, "A change of it is meant? `npm run package` writes it down.").toBe(
      await readFile(surfaceFile(entry), "utf8"),
    );
  },
);

it("carries no script that npm would run, or warn of, where it is installed", async () => {
  const manifest = JSON.parse(await readFile(join(folder, "package", "package.json"), "utf8"));
  const scripts = Object.keys(manifest.scripts);
  // As npm's install-scripts.js lists them. `postprepare` runs in this repository alone, after `npm ci` and `npm install`.
  const run = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare"];
  expect(scripts.filter((name) => run.includes(name))).toEqual([]);
  expect(manifest).toMatchObject({ name: "envoyou-edge", bin: {}, exports: {}, peerDependencies: {} });
});

it("publint and are-the-types-wrong find nothing in the tarball", async () => {
  const tarball = new Uint8Array(await readFile(installed.tarball));
  const { messages } = await publint({ pack: { tarball: tarball.slice().buffer }, strict: true });
  expect(messages).toEqual([]);
  const { problems } = (await checkPackage(createPackageFromTarballData(tarball))) as Analysis;
  // The profile `esm-only`: there is one build, and require() and resolutions without `exports` are not promised anything.
  const others = problems.filter(
    (problem) => !/^(node10|node16-cjs)$/.test("resolutionKind" in problem ? problem.resolutionKind : ""),
  );
  expect(others).toEqual([]);
});

it("runs in Node, where nothing but the package and its peers is installed", async () => {
  const own = await project("run", {
    "run.mjs": `
import { createEdge } from "envoyou-edge";
import { startUpstashLocal } from "envoyou-edge/local";
import { Hono } from "hono";
const upstash = await startUpstashLocal({ redis: "embedded" });
const { rateLimit } = createEdge({ redis: upstash, logLevel: "error" });
const app = new Hono().use("/api", rateLimit([{ name: "api", limit: 2, window: "1 d" }])).get("/api", (c) => c.text("fine"));
const statuses = [];
for (let i = 0; i < 3; i += 1) statuses.push((await app.request("/api")).status);
console.log(JSON.stringify({ statuses, calls: upstash.calls.length }));
await upstash.stop();
`,
  });
  const { stdout } = await exec("node", [join(own, "run.mjs")]);
  // One for each request, and one more because the server does not know the script yet.
  expect(JSON.parse(stdout)).toEqual({ statuses: [200, 200, 429], calls: 4 });
});

/** Takes from a newer Node what the oldest that `engines` allows has not: what `lib: ES2024` and later have beyond it. */
const LIKE_NODE_20 = `
delete Map.groupBy;
delete Object.groupBy;
delete Promise.withResolvers;
delete Promise.try;
delete Array.fromAsync;
delete RegExp.escape;
delete Uint8Array.fromBase64;
for (const name of ["toBase64", "toHex"]) delete Uint8Array.prototype[name];
for (const name of ["union", "intersection", "difference", "isSubsetOf", "isSupersetOf"]) delete Set.prototype[name];
const iterator = Object.getPrototypeOf(Object.getPrototypeOf([].values()));
for (const name of ["map", "filter", "take", "drop", "flatMap", "reduce", "toArray", "forEach", "some", "every", "find"])
  delete iterator[name];
delete globalThis.Iterator;
`;

it("limits, sessions, cache and client run in Node 20, where apps are tested", async () => {
  const own = await project("node20", {
    "node20.mjs": LIKE_NODE_20,
    "run.mjs": `
import { createEdge } from "envoyou-edge";
import { createClient, rateLimits } from "envoyou-edge/client";
import { startUpstashLocal } from "envoyou-edge/local";
import { Hono } from "hono";
const upstash = await startUpstashLocal({ redis: "embedded" });
const edge = createEdge({ redis: upstash, secrets: { session: "s".repeat(32) }, logLevel: "error" });
const app = new Hono();
app.post("/orders", edge.rateLimit({
  limits: [{ name: "tenant", limit: 5, window: "1 d", by: "tenant" }, { name: "address", limit: 50, window: "1 d", by: "address" }],
  key: { tenant: () => ["acme", "umbrella"] },
  cost: () => 3,
  onLimited: (c, { policy }) => c.json({ policy }, 429),
}), (c) => c.text("ordered"));
app.post("/login", edge.session(), async (c) => {
  const { token } = await c.var.edge.sessions.create({ userId: "ada" });
  return c.text("", 201, { "X-Session-Token": token });
});
app.get("/me", edge.session("required"), (c) => c.text(c.var.user.id));
app.get("/prices", edge.responseCache({ ttl: 60, scope: "shared" }), (c) => c.text("1"));
const client = createClient({ baseUrl: "http://app.test", fetch: (request) => app.request(request) });
const found = [];
for (let i = 0; i < 2; i += 1) found.push((await client.fetch("/orders", { method: "POST" })).status);
found.push((await client.fetch("/login", { method: "POST" })).status, await (await client.fetch("/me")).text());
for (let i = 0; i < 2; i += 1) {
  const response = await client.fetch("/prices");
  found.push(await response.text(), response.headers.get("x-cache"));
}
const limited = await client.fetch("/orders", { method: "POST" });
console.log(JSON.stringify([...found, (await limited.json()).policy, rateLimits(limited.headers).map(({ name }) => name)]));
await upstash.stop();
`,
  });
  const { stdout } = await exec("node", ["--import", join(own, "node20.mjs"), join(own, "run.mjs")]);
  expect(JSON.parse(stdout)).toEqual([
    200,
    429,
    201,
    "ada",
    "1",
    "MISS",
    "1",
    "HIT",
    "tenant",
    ["tenant", "address"],
  ]);
});

/** An app as a bundler makes it for a Worker: bytes, minified and gzipped at level 9, and the files that went into it. */
async function bundled(name: string, lines: readonly string[]) {
  const text = [
    'import { Hono } from "hono";',
    "const app = new Hono();",
    ...lines,
    "export default app;",
  ].join("\n");
  const own = await project(name, { "app.mjs": text });
  const { outputFiles, metafile } = await build({
    ...{ entryPoints: [join(own, "app.mjs")], bundle: true, minify: true, format: "esm", target: "es2024" },
    ...{ write: false, metafile: true, platform: "neutral", mainFields: ["module", "main"] },
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  });
  const [output] = Object.values(metafile.outputs);
  const inputs = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0);
  return {
    bytes: gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length,
    inputs: inputs.map(([path]) => path.replace(/^.*(node_modules|dist\/package)\//, "$1/")),
  };
}

/** An app that uses hono and the two SDKs: their ES modules, which are the smaller ones. */
const GLUED = [
  'import { Redis } from "@upstash/redis";',
  'import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";',
  'const redis = new Redis({ url: "https://x.upstash.io", token: "t" });',
  'const limits = new Ratelimit({ redis, limiter: Ratelimit.slidingWindow(60, "1 m") });',
  'app.use("/api/*", async (c, next) => (await limits.limit("a")).success ? next() : c.text("", 429));',
];

const LIMITS_ALONE = [
  'import { createLimits } from "envoyou-edge";',
  'const { rateLimit } = createLimits({ redis: { url: "https://x.upstash.io", token: "t" } });',
  'app.use("/api/*", rateLimit([{ name: "api", limit: 60, window: "1 m" }]));',
];

it("limits alone are at most 45.9 KB gzipped beyond hono and the two SDKs, and nothing else of the edge is in them", async () => {
  const without = await bundled("bundle-without", GLUED);
  const limits = await bundled("bundle-limits", LIMITS_ALONE);
  const whole = await bundled(
    "bundle-edge",
    LIMITS_ALONE.map((line) => line.replaceAll("createLimits", "createEdge")),
  );
  expect(without.inputs.filter((path) => path.includes("dist/package/"))).toEqual([]);
  expect(limits.bytes - without.bytes).toBeLessThanOrEqual(45_900);
  const others =
    /^node_modules\/(zod|jose)\/|^dist\/package\/(session|response-cache|value-cache|origin|endpoints)\//;
  expect(limits.inputs.filter((path) => others.test(path))).toEqual([]);
  const told = /([\d.]+) KB \(minified, gzipped; .*?`createEdge\(\)` ([\d.]+)\./s.exec(
    await readFile("docs/routes.md", "utf8"),
  );
  for (const [at, { bytes }] of [limits, whole].entries()) {
    const added = (bytes - without.bytes) / 1000;
    expect(
      Math.abs(Number(told?.[at + 1]) / added - 1),
      `docs/routes.md, where ${added} KB are added`,
    ).toBeLessThan(0.03);
  }
  expect(whole.inputs.filter((path) => others.test(path)).length, "what createEdge() has").toBeGreaterThan(
    100,
  );
});

it("npx envoyou-edge upstash is the local endpoint, and says what there is", async () => {
  const { bin } = JSON.parse(await readFile(join(folder, "package", "package.json"), "utf8")) as {
    bin: Record<string, string>;
  };
  const program = join(folder, "package", bin["envoyou-edge"] ?? "");
  const child = spawn("node", [program, "upstash", "--port", "0", "--token", "local", "--redis", "embedded"]);
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  while (!/_TOKEN=/.test(output)) await once(child.stdout, "data");
  const [, url] = /UPSTASH_REDIS_REST_URL=(\S+)/.exec(output) ?? [];
  expect(await (await fetch(`${url}/ping?_token=local`)).json()).toEqual({ result: "PONG" });
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  await expect(exec("node", [program, "redis"])).rejects.toThrow("envoyou-edge upstash [--port");
});
