import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../src/tools/ports.ts";
import { NpmStart, type NpmStartOptions } from "../support/npm-start.ts";
import { untouchedProject } from "../support/project-copy.ts";
import { nobody, serve } from "../support/servers.ts";
import { until } from "../support/until.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(options: NpmStartOptions): NpmStart {
  const started = new NpmStart(options);
  cleanups.push(() => started.stop());
  return started;
}
async function copy(): Promise<string> {
  const { folder, remove } = await untouchedProject();
  cleanups.push(remove);
  return folder;
}
const port = async () => ["--port", String(await freePort()), "--page-port", "0"];

/** An API of the developer's. */
async function ownApi(): Promise<{ url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const { url, stop } = await serve((request, response) => {
    seen.push(request.headers);
    response.end(`mine: ${request.url}`);
  });
  cleanups.push(stop);
  return { url, seen };
}

describe("your own API", () => {
  it("by --origin: it is asked, and nothing of the sample is printed", async () => {
    const api = await ownApi();
    const run = await start({
      cwd: await copy(),
      args: ["--no-store", "--origin", api.url, ...(await port())],
    }).ready();
    expect(await (await fetch(`${run.address("edge")}/my/path`)).text()).toBe("mine: /my/path");
    expect(run.printed).toContain(`${api.url}   (your API, from --origin)`);
    expect(run.printed).not.toContain("$EDGE/v1/");
    expect(run.printed).toMatch(/Next:\n {2}your routes/);
  });

  it("by ORIGIN_URL of the environment, before that of .dev.vars, whose other variables count as they stand", async () => {
    const [api, other] = [await ownApi(), await ownApi()];
    const folder = await copy();
    writeFileSync(
      join(folder, ".dev.vars"),
      `ORIGIN_URL=${other.url}\nexport SERVICE_TOKEN='pa$HOME\\n-of-the-service' # mine\nORIGN_TOKEN=x\n`,
    );
    const run = await start({
      cwd: folder,
      env: { ORIGIN_URL: api.url },
      args: ["--no-store", ...(await port())],
    }).ready();
    expect(await (await fetch(`${run.address("edge")}/x`)).text()).toBe("mine: /x");
    expect(other.seen).toEqual([]);
    const session = await fetch(`${run.address("edge")}/auth/sessions`, {
      method: "POST",
      headers: { authorization: "Bearer pa$HOME\\n-of-the-service", "content-type": "application/json" },
      body: '{"user_id":"a"}',
    });
    expect(session.status).toBe(201);
    expect(run.printed).toContain(
      "warning: .dev.vars: no variable is called ORIGN_TOKEN. Did you mean ORIGIN_TOKEN?",
    );
  });

  it("a file that changes while it starts is read when it runs", async () => {
    const folder = await copy();
    const vars = join(folder, ".dev.vars");
    // Its first request comes when the files have been read, and before the Worker is built.
    const { url, stop } = await serve((_, response) => {
      if (!existsSync(vars)) writeFileSync(vars, "SERVICE_TOKEN=\n");
      response.end();
    });
    cleanups.push(stop);
    const run = start({ cwd: folder, args: ["--no-store", "--origin", url, ...(await port())] });
    await until(() => run.printed.includes("Reloaded."), "it has read the file", 90_000);
    const sessions = await fetch(`${run.address("edge")}/auth/sessions`, { method: "POST" });
    // Without a token that path is nobody's.
    expect(sessions.status).toBe(404);
  });

  it("one that does not answer is said, and the edge runs", async () => {
    const dead = await nobody();
    const run = await start({
      cwd: await copy(),
      args: ["--no-store", "--origin", dead, ...(await port())],
    }).ready();
    expect(run.printed).toMatch(new RegExp(`warning: ${dead} does not answer \\(.*ECONNREFUSED`));
    expect((await fetch(run.address("edge"))).status).toBe(502);
    await until(() => run.printed.includes("→ 502 origin_unreachable"), "the failed request is a plain line");
  });
});

it("an API that is bound as a service, and not run, is a 503 that names it", async () => {
  const folder = await copy();
  appendFileSync(join(folder, "wrangler.toml"), '[[services]]\nbinding = "ORIGIN"\nservice = "my-api"\n');
  const registry = join(folder, "registry");
  const env = { WRANGLER_REGISTRY_PATH: registry };
  const run = await start({ cwd: folder, env, args: ["--no-store", ...(await port())] }).ready();
  expect(run.printed).toContain("the service binding ORIGIN: my-api, which wrangler dev runs");
  const answer = await fetch(`${run.address("edge")}/x`);
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('"my-api" not found')]);
  await run.stop();
  expect(readdirSync(registry)).toEqual([]);
});

describe("a port in use", () => {
  it.each(["127.0.0.1", "::1", "::"])(
    "by a program at %s is said at once, and nothing stays",
    async (host) => {
      const taken = await freePort();
      const foreign: TcpServer = createTcpServer((socket) =>
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
      );
      await new Promise<void>((resolve) => foreign.listen(taken, host, resolve));
      cleanups.push(() => new Promise((resolve) => foreign.close(resolve)));
      const run = start({ cwd: await copy(), args: ["--no-store", "--port", String(taken)] });
      expect(await run.exit).toBe(1);
      expect(run.printed).toContain(`Port ${taken} is in use by another program.`);
      expect(run.printed).not.toContain("edge  ");
      expect(run.left()).toEqual([]);
    },
  );
});

describe("an issue in a file is one message, and a fixed file goes on working", { timeout: 240_000 }, () => {
  it("in src/routes.ts, wrangler.toml and .dev.vars", async () => {
    const folder = await copy();
    const run = await start({ cwd: folder, args: ["--no-store", ...(await port())] }).ready();
    const [routes, toml] = [join(folder, "src/routes.ts"), join(folder, "wrangler.toml")];
    const [goodRoutes, goodToml] = [readFileSync(routes, "utf8"), readFileSync(toml, "utf8")];
    const answers = async () => (await fetch(`${run.address("edge")}/v1/emissions/units`)).status;
    for (const { file, good, bad, says, still } of [
      {
        file: routes,
        good: goodRoutes,
        bad: `${goodRoutes}\nconst x = ;\n`,
        says: /error: src\/routes\.ts:\d+:11: Unexpected ";"/,
        still: 200,
      },
      {
        file: routes,
        good: goodRoutes,
        bad: `${goodRoutes}\nthrow new Error("at load");\n`,
        says: /error: The Worker cannot be loaded: Error: at load/,
        still: null,
      },
      {
        file: routes,
        good: goodRoutes,
        bad: goodRoutes.replace('"/v1/user/*"', '"v1/user/*"'),
        says: /error: The configuration has an issue:\n {2}routes\[4\]\.path/,
        still: 500,
      },
      {
        file: toml,
        good: goodToml,
        bad: `${goodToml}\nx = = 3\n`,
        says: /error: wrangler\.toml:\d+: found x without quotes\. Put the text in quotes/,
        still: 200,
      },
      {
        file: toml,
        good: goodToml,
        bad: goodToml.replace(/^main = .*/m, 'main = "src/none.ts"'),
        says: /error: The entry-point file at "src\/none\.ts" was not found/,
        still: 200,
      },
      {
        file: toml,
        good: goodToml,
        bad: `${goodToml}\n[vars]\nEDGE_MODE = "obsrve"\n`,
        says: /error: The configuration has an issue:\n {2}EDGE_MODE/,
        still: 200,
      },
      {
        file: join(folder, ".dev.vars"),
        good: "",
        bad: "LOG_LEVEL=loud\n",
        says: /error: The configuration has an issue:\n {2}LOG_LEVEL/,
        still: 200,
      },
      {
        file: join(folder, ".dev.vars"),
        good: "",
        bad: "ORIGIN_URL=http://user:pass@localhost\n",
        says: /error: The address of your API, from \.dev\.vars/,
        still: 200,
      },
    ]) {
      const from = run.printed.length;
      const said = run.says(says);
      writeFileSync(file, bad);
      await said;
      // What the Worker itself says of it comes later: it is not printed again.
      if (still !== null) await until(async () => (await answers()) === still, `${still} with ${says}`);
      const reloaded = run.says("Reloaded.");
      writeFileSync(file, good);
      await reloaded;
      expect(await answers(), `after ${says}`).toBe(200);
      const text = run.printed.slice(from);
      expect(text.match(/^error:/gm), text).toHaveLength(1);
      expect(text.match(/^Reloaded\.$/gm), text).toHaveLength(1);
    }
    await run.stop("SIGTERM");
  });

  it("however soon it is fixed: where the development server has seen neither change, it starts anew all the same", async () => {
    const folder = await copy();
    const run = await start({ cwd: folder, args: ["--no-store", ...(await port())] }).ready();
    const [routes, toml, vars] = ["src/routes.ts", "wrangler.toml", ".dev.vars"].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    const [goodRoutes, goodToml] = [readFileSync(routes, "utf8"), readFileSync(toml, "utf8")];
    const invalid = goodRoutes.replace('"/v1/user/*"', '"v1/user/*"');
    const keepsTime = ({ atime, mtime }: Stats) => utimesSync(routes, atime, mtime);
    for (const { file, good, bad, says, time = () => {} } of [
      { file: routes, good: goodRoutes, bad: `${goodRoutes}\nconst x = ;\n`, says: /error: src\/routes\.ts/ },
      {
        file: routes,
        good: goodRoutes,
        bad: `${goodRoutes}\nthrow new Error("at load");\n`,
        says: /at load/,
      },
      { file: routes, good: goodRoutes, bad: invalid, says: /routes\[4\]\.path/ },
      { file: routes, good: goodRoutes, bad: invalid, says: /routes\[4\]\.path/, time: keepsTime },
      {
        file: routes,
        good: goodRoutes,
        bad: invalid,
        says: /routes\[4\]\.path/,
        time: () => utimesSync(routes, 1, 1),
      },
      { file: toml, good: goodToml, bad: `${goodToml}\nx = = 3\n`, says: /error: wrangler\.toml/ },
      { file: vars, good: "", bad: "LOG_LEVEL=loud\n", says: /LOG_LEVEL/ },
    ]) {
      const from = run.printed.length;
      const said = run.says(says);
      const before = statSync(routes);
      writeFileSync(file, bad);
      time(before);
      await said;
      const reloaded = run.says("Reloaded.");
      writeFileSync(file, good);
      time(before);
      await reloaded;
      expect((await fetch(`${run.address("edge")}/v1/emissions/units`)).status).toBe(200);
      expect(run.printed.slice(from).match(/^error:/gm)).toHaveLength(1);
    }
  });

  it("in the Worker's own code, where the development server has been started anew meanwhile and watches nothing", async () => {
    const folder = await copy();
    const run = await start({ cwd: folder, args: ["--no-store", ...(await port())] }).ready();
    const worker = join(folder, "src/worker.ts");
    const good = readFileSync(worker, "utf8");
    for (const [bad, fix] of [
      [`${good}\nconst x = ;\n`, () => writeFileSync(worker, good)],
      [`import "./made-later.ts";\n${good}`, () => writeFileSync(join(folder, "src/made-later.ts"), "")],
    ] as const) {
      const said = run.says(/error: src\/worker\.ts/);
      writeFileSync(worker, bad);
      await said;
      // wrangler reads its configuration anew, cannot build, and ends its watch.
      const builds = new Promise((done) => setTimeout(done, 3000));
      appendFileSync(join(folder, ".dev.vars"), "LOG_LEVEL=debug\n");
      await builds;
      const reloaded = run.says("Reloaded.");
      fix();
      await reloaded;
      expect((await fetch(`${run.address("edge")}/v1/emissions/units`)).status).toBe(200);
    }
  });

  it.each([
    {
      what: "in src/routes.ts",
      file: "src/routes.ts",
      text: "export default [;\n",
      says: 'src/routes.ts:1:17: Unexpected ";"\n    export default [;\n',
    },
    {
      what: "in a value of src/routes.ts",
      file: "src/routes.ts",
      text: 'export default [{ path: "a" }];\n',
      says: 'The configuration has an issue:\n  routes[0].path: found "a". Must start with a /.\ndocs/configuration.md lists every variable.\n',
    },
    {
      what: "in .dev.vars",
      file: ".dev.vars",
      text: "LOG_LEVEL=loud\n",
      says: 'The configuration has an issue:\n  LOG_LEVEL: found "loud". Must be one of debug, info, warn, error.\ndocs/configuration.md lists every variable.\n',
    },
  ])("at the start, $what: one message, exit code 1, nothing stays", async ({ file, text, says }) => {
    const folder = await copy();
    writeFileSync(join(folder, file), text);
    const run = start({ cwd: folder, args: ["--no-store", ...(await port())] });
    expect(await run.exit).toBe(1);
    expect(run.printed).toBe(`Starting Envoyou Edge …\n${says}`);
    expect(run.left()).toEqual([]);
  });

  it("a folder that cannot be written to is said", async () => {
    const folder = await copy();
    // As root no permission would be missing.
    writeFileSync(join(folder, ".wrangler"), "a file");
    const run = start({ cwd: folder, args: ["--no-store", ...(await port())] });
    expect(await run.exit).toBe(1);
    expect(run.printed).toMatch(/\.wrangler/);
    expect(run.printed.split("\n").length).toBeLessThan(6);
    expect(run.left()).toEqual([]);
  });
});

describe("signals", () => {
  it.each([300, 900, 1800, 3500])("SIGTERM to npm %i ms after the start leaves nothing", async (ms) => {
    const run = start({ cwd: await copy(), npm: true, args: await port() });
    await new Promise((resolve) => setTimeout(resolve, ms));
    run.child.kill("SIGTERM");
    await run.exit;
    await until(() => run.left().length === 0, `nothing is left, but ${run.left()}`);
  });

  it.each(["SIGINT", "SIGTERM", "SIGKILL"] as const)("%s while it runs leaves nothing", async (signal) => {
    const run = await start({ cwd: await copy(), args: await port() }).ready();
    expect(run.left().join("\n")).toMatch(/workerd/);
    run.child.kill(signal);
    await run.exit;
    await until(() => run.left().length === 0, `nothing is left, but ${run.left()}`);
  });

  it("SIGKILL to npm leaves nothing", async () => {
    const run = await start({ cwd: await copy(), npm: true, args: await port() }).ready();
    run.child.kill("SIGKILL");
    await until(() => run.left().length === 0, "nothing is left");
  });
});

it("two starts in one checkout run beside each other", async () => {
  const cwd = await copy();
  const [one, two] = [
    start({ cwd, args: ["--no-store", ...(await port())] }),
    start({ cwd, args: ["--no-store", ...(await port())] }),
  ];
  await Promise.all([one.ready(), two.ready()]);
  for (const run of [one, two])
    expect((await fetch(`${run.address("edge")}/v1/emissions/units`)).status).toBe(200);
  expect(one.address("edge")).not.toBe(two.address("edge"));
});
