import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FaultProxy } from "../chaos/proxy.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const ROUTES = [
  { path: "/cached/*", originFetch: "eager", cache: { ttl: 600, scope: "shared" } },
  {
    path: "/limited/*",
    originFetch: "eager",
    limits: [{ name: "few", limit: 1, window: "1 d", algorithm: "fixed-window" }],
  },
];

/** One request to the origin: whether its connection was broken off before it had its whole answer. */
interface Asked {
  path: string;
  brokenOff: boolean;
}

/** How the origin answers from now on: at once, not at all, or with a body that has no end. */
type Manner = "at once" | "silent" | "endless";

describe('originFetch: "eager" in the runtime', () => {
  const asked: Asked[] = [];
  const open = new Set<ServerResponse>();
  let manner: Manner = "at once";
  const origin = createServer((request, response) => {
    const each = { path: request.url ?? "", brokenOff: false };
    asked.push(each);
    open.add(response);
    response.on("close", () => {
      open.delete(response);
      each.brokenOff = !response.writableFinished;
    });
    if (manner === "at once") return void response.setHeader("content-length", 6).end("stored");
    if (manner === "silent") return;
    response.writeHead(200, { "content-type": "text/plain" });
    const writing = setInterval(() => response.write("x".repeat(1000)), 5);
    response.on("close", () => clearInterval(writing));
  });
  // It closes no connection on which the Worker may be sending.
  origin.keepAliveTimeout = 300_000;
  let harness: Harness;
  let store: FaultProxy;

  beforeAll(async () => {
    await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
    const { port } = origin.address() as AddressInfo;
    harness = await openHarness({
      vars: { ROUTES, ORIGIN_URL: `http://127.0.0.1:${port}` },
      async beforeStore(url) {
        store = new FaultProxy(url);
        await store.open();
        return store.url;
      },
    });
  });
  afterAll(async () => {
    await harness.stop();
    await store.close();
    for (const response of open) response.destroy();
    origin.closeAllConnections();
    await new Promise((resolve) => origin.close(resolve));
  });

  const lineOf = (response: Response) =>
    harness.edge.log.findLast(({ request_id }) => request_id === response.headers.get("x-request-id"));
  /** What is asked for while the origin answers so. */
  async function meanwhile(how: Manner, path: string, address?: string) {
    manner = how;
    const before = asked.length;
    // Redis is the later one, so that its answer breaks off what the origin has begun.
    store.lift(async (call) => {
      await until(() => asked.length > before, "the origin is asked");
      call.reply(await call.forward());
    });
    const response = await harness.edge.fetch(path, address === undefined ? {} : { address });
    await response.text();
    store.lift();
    manner = "at once";
    return { response, calls: asked.slice(before) };
  }
  const brokenOff = (call: Asked | undefined) => expect.poll(() => call?.brokenOff).toBe(true);

  it.each<[what: Manner]>([["silent"], ["endless"]])(
    "a hit in Redis breaks off the request to an origin that is %s",
    async (how) => {
      const path = `/cached/${how}`;
      await harness.counting(() => harness.edge.fetch(path));
      await harness.edge.restart();
      const { response, calls } = await meanwhile(how, path);
      expect(response.headers.get("x-cache")).toBe("HIT");
      expect(calls).toHaveLength(1);
      await brokenOff(calls[0]);
      await expect.poll(() => lineOf(response)?.eager).toBe("wasted");
    },
  );

  it.each<[what: Manner, address: string]>([
    ["silent", "203.0.113.50"],
    ["endless", "203.0.113.51"],
  ])("so does a denial, where the origin is %s", async (how, address) => {
    await harness.edge.fetch("/limited/a", { address });
    await harness.edge.restart();
    const { response, calls } = await meanwhile(how, "/limited/b", address);
    expect(response.status).toBe(429);
    expect(calls).toHaveLength(1);
    await brokenOff(calls[0]);
  });

  it("twenty requests at once for one URL make one to the origin", async () => {
    const before = asked.length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => harness.edge.fetch("/cached/one")));
    const texts = await Promise.all(answers.map((each) => each.text()));
    expect(new Set(texts)).toEqual(new Set(["stored"]));
    expect(asked.slice(before)).toHaveLength(1);
    expect(asked.at(-1)?.brokenOff).toBe(false);
  });

  it("the body of a fetch that is used arrives whole", async () => {
    const { response } = await meanwhile("at once", "/limited/c", "203.0.113.52");
    expect(response.status).toBe(200);
    await expect.poll(() => lineOf(response)?.eager).toBe("used");
    expect(asked.at(-1)?.brokenOff).toBe(false);
  });

  it("leaves no error that nobody catches, and no report of a failing origin", () => {
    const printed = harness.edge.printed.join("\n");
    expect(printed).not.toMatch(/uncaught|unhandled|not.*same request|hang/i);
    expect(harness.edge.log.filter(({ event }) => String(event).endsWith("failed"))).toEqual([]);
  });
});
