import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { freePort } from "../../src/tools/start/ports.ts";
import { checkoutCopy, NpmStart, type NpmStartOptions } from "../support/npm-start.ts";
import { until } from "../support/processes.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function start(options: NpmStartOptions): NpmStart {
  const started = new NpmStart(options);
  cleanups.push(() => started.stop());
  return started;
}
function copy(): string {
  const { folder, remove } = checkoutCopy();
  cleanups.push(remove);
  return folder;
}
const port = async () => ["--port", String(await freePort()), "--page-port", "0"];

/** An API of the developer's. */
async function ownApi(): Promise<{ url: string; seen: IncomingHttpHeaders[] }> {
  const seen: IncomingHttpHeaders[] = [];
  const server: Server = createServer((request, response) => {
    seen.push(request.headers);
    response.end(`mine: ${request.url}`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.closeAllConnections() ?? server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

describe("your own API", { timeout: 120_000 }, () => {
  it("by --origin: it is asked, and nothing of the sample is printed", async () => {
    const api = await ownApi();
    const run = await start({ args: ["--no-store", "--origin", api.url, ...(await port())] }).ready();
    expect(await (await fetch(`${run.address("edge")}/my/path`)).text()).toBe("mine: /my/path");
    expect(run.printed).toContain(`${api.url}   (your API, from --origin)`);
    expect(run.printed).not.toContain("$EDGE/v1/");
    expect(run.printed).toMatch(/Next:\n {2}your routes/);
  });

  it("by ORIGIN_URL of the environment, before that of .dev.vars, whose other variables count as they stand", async () => {
    const [api, other] = [await ownApi(), await ownApi()];
    const folder = copy();
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

  it("one that does not answer is said, and the edge runs", async () => {
    const dead = `http://127.0.0.1:${await freePort()}`;
    const run = await start({ args: ["--no-store", "--origin", dead, ...(await port())] }).ready();
    expect(run.printed).toMatch(new RegExp(`warning: ${dead} does not answer \\(.*ECONNREFUSED`));
    expect((await fetch(run.address("edge"))).status).toBe(502);
    await until(() => run.printed.includes("→ 502 origin_unreachable"), "the failed request is a plain line");
  });
});

describe("a port in use", { timeout: 60_000 }, () => {
  it.each(["127.0.0.1", "::1", "::"])(
    "by a program at %s is said at once, and nothing stays",
    async (host) => {
      const taken = await freePort();
      const foreign: TcpServer = createTcpServer((socket) =>
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
      );
      await new Promise<void>((resolve) => foreign.listen(taken, host, resolve));
      cleanups.push(() => new Promise((resolve) => foreign.close(resolve)));
      const run = start({ args: ["--no-store", "--port", String(taken)] });
      expect(await run.exit).toBe(1);
      expect(run.printed).toContain(`Port ${taken} is in use by another program.`);
      expect(run.printed).not.toContain("edge  ");
      expect(run.left()).toEqual([]);
    },
  );
});

describe("signals", { timeout: 120_000 }, () => {
  it.each([300, 900, 1800, 3500])("SIGTERM to npm %i ms after the start leaves nothing", async (ms) => {
    const run = start({ npm: true, args: await port() });
    await new Promise((resolve) => setTimeout(resolve, ms));
    run.child.kill("SIGTERM");
    await run.exit;
    await until(() => run.left().length === 0, `nothing is left, but ${run.left()}`);
  });
});
