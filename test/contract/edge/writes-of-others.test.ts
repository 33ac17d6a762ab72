import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EdgeOptions } from "../../../src/middleware/options.ts";
import type { EdgeEnv } from "../../../src/middleware.ts";
import { edgeInRedis, executionContext, FROM } from "../../support/edge/hono-app.ts";
import { printedLines } from "../../support/printed.ts";

/** What one middleware writes, another has stored: the next request goes by it, though no call to Redis lies between them. */

printedLines();
// What is asked for in the millisecond of a write goes with it: each request here has a time of its own.
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

const READS = ["/items", "/items/1", "/other"];

/** An app that reads by one middleware, or by one for each path, and writes by another; `wait: false` asks before Redis is told. */
function opened(write: EdgeOptions, settings: Parameters<typeof edgeInRedis>[0] = {}) {
  const { edge } = edgeInRedis(settings);
  const app = new Hono<EdgeEnv>();
  let made = 0;
  for (const [index, path] of READS.entries())
    app.get(
      path,
      edge({ cache: { ttl: 600 + index, scope: "shared", tags: path === "/other" ? [] : ["items"] } }),
      (c) => c.json({ made: ++made }),
    );
  app.on(["POST", "PUT", "DELETE"], "/items/*", edge(write), (c) =>
    c.req.query("fails")
      ? c.text("no", 409)
      : c.body(null, 204, { location: c.req.query("at") ?? "/nowhere" }),
  );
  const ask = async (path: string, method = "GET", wait = true) => {
    const { context, settled } = executionContext();
    vi.setSystemTime(Date.now() + 1);
    const answer = await app.request(path, { method, headers: FROM }, {}, context);
    await answer.text();
    if (wait) await settled();
    return answer;
  };
  const missed = async () => {
    const paths: string[] = [];
    for (const path of READS) if ((await ask(path)).headers.get("x-cache") !== "HIT") paths.push(path);
    return paths;
  };
  return { ask, missed };
}

const WRITES: [what: string, write: EdgeOptions, path: string, method: string, missed: string[]][] = [
  ["a tag", { invalidates: { tags: ["items"] } }, "/items/9", "POST", ["/items", "/items/1"]],
  ["a path", { invalidates: { prefixes: ["/items"] } }, "/items/9", "PUT", ["/items", "/items/1"]],
  ["its own URL", { invalidates: {} }, "/items", "POST", ["/items"]],
  ["its own URL, of another method", { invalidates: {} }, "/items/1", "DELETE", ["/items/1"]],
  ["the Location of its answer", { invalidates: {} }, "/items/9?at=/items/1", "POST", ["/items/1"]],
  ["its own URL beside a tag", { invalidates: { tags: ["none"] } }, "/items/1", "PUT", ["/items/1"]],
  ["nothing that it does not name", { invalidates: { tags: ["none"] } }, "/items/9", "PUT", []],
  ["nothing where it fails", { invalidates: { tags: ["items"] } }, "/items/1?fails=1", "PUT", []],
  ["nothing without a say", { session: "optional" }, "/items/1", "PUT", []],
];

describe.each<[string, Parameters<typeof edgeInRedis>[0]]>([
  ["with Redis", {}],
  ["without", { cache: { useRedis: false } }],
])("a write of one middleware ends, of what others have stored, %s", (_, settings) => {
  it.each(WRITES)("%s", async (_, write, path, method, expected) => {
    const { ask, missed } = opened(write, settings);
    expect(await missed(), "stored").toEqual(READS);
    expect(await missed(), "served").toEqual([]);
    await ask(path, method);
    expect(await missed(), "at once").toEqual(expected);
    expect(await missed(), "and stored anew").toEqual([]);
  });
});

it("what is written holds before Redis is told of it", async () => {
  const { ask, missed } = opened({ invalidates: { tags: ["items"] } });
  await missed();
  await ask("/items/1", "PUT", false);
  expect(await missed()).toEqual(["/items", "/items/1"]);
});
