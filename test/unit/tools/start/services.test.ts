import { describe, expect, it } from "vitest";
import type { Unstable_Config } from "wrangler";
import { readStartOptions } from "../../../../src/tools/start/options.ts";
import { keepsState, namedOrigin, originWarning } from "../../../../src/tools/start/services.ts";
import { nobody, serve } from "../../../support/servers.ts";

const none = { durable_objects: { bindings: [] }, queues: {} } as unknown as Unstable_Config;

it.each<[string, object, boolean]>([
  ["nothing", {}, false],
  ["empty lists", { d1_databases: [], kv_namespaces: [] }, false],
  ["a service", { services: [{ binding: "ORIGIN", service: "api" }] }, false],
  ["a D1 database", { d1_databases: [{ binding: "DB" }] }, true],
  ["a KV namespace", { kv_namespaces: [{ binding: "KV" }] }, true],
  ["a bucket", { r2_buckets: [{ binding: "B" }] }, true],
  ["a workflow", { workflows: [{ binding: "W" }] }, true],
  ["a durable object", { durable_objects: { bindings: [{ name: "D" }] } }, true],
  ["a queue that is written to", { queues: { producers: [{ binding: "Q" }] } }, true],
])("whether local state is kept, where wrangler.toml binds %s", (_, more, kept) => {
  expect(keepsState({ ...none, ...more })).toBe(kept);
});

describe("the origin", () => {
  const own = { file: ".dev.vars", values: {}, warnings: [] };
  const services = [{ binding: "ORIGIN", service: "my-api" }];
  const named = (args: string[], more = {}) =>
    namedOrigin(readStartOptions(args), { ...own, ...more }, { services: [] });

  it("is none where nothing names one", () => expect(named([])).toBeNull());

  it("is that of the file, and of the option before it", () => {
    const more = { values: { ORIGIN_URL: "http://a.test" } };
    expect(named([], more)).toMatchObject({ url: "http://a.test", says: "your API, from .dev.vars" });
    expect(named(["--origin", "http://b.test"], more)).toMatchObject({ url: "http://b.test" });
  });

  it("is a service that is bound, which nobody asks at an address", async () => {
    const bound = namedOrigin(readStartOptions([]), own, { services });
    expect(bound).toMatchObject({
      says: "the service binding ORIGIN: my-api, which wrangler dev runs in another terminal",
    });
    expect(bound && (await originWarning(bound))).toBeNull();
  });

  it("is warned of where it does not answer", async () => {
    const dead = named(["--origin", await nobody()]);
    expect(dead && (await originWarning(dead))).toMatch(/ does not answer \(.*ECONNREFUSED.*\)\. Requests/);
    const { url, stop } = await serve((_, response) => response.writeHead(500).end());
    const alive = named(["--origin", url]);
    expect(alive && (await originWarning(alive))).toBeNull();
    await stop();
  });
});
