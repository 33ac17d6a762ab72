import { readFile } from "node:fs/promises";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildWorker } from "../support/edge/build.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

/** Prints each event of the spans that it is told of. */
const TAIL = `export default {
  tailStream() {
    const numbers = (_, value) => (typeof value === "bigint" ? Number(value) : value);
    return ({ event, spanContext }) =>
      console.log("SPAN " + JSON.stringify({ ...event, of: spanContext.spanId }, numbers));
  },
};`;

interface SpanEvent {
  type: "spanOpen" | "spanClose" | "attributes" | "outcome";
  name?: string;
  spanId?: string;
  /** The span that it is an event of; of `spanOpen`, the one around it. */
  of: string;
  info?: { name: string; value: unknown }[];
}

const ROUTES = [
  {
    path: "/v1/emissions/*",
    limits: [{ name: "burst", limit: 1000, window: "1 h" }],
    cache: { ttl: 600, scope: "shared" },
  },
];
const SECRETS = { key: "key-of-a-caller-0123456789", user: "u_secret", path: "electricity-id" };

/** The Worker as it is deployed, in a workerd that hands its spans to another Worker. */
async function start({ upstash, origin, secrets }: Harness, traced: boolean) {
  const events: SpanEvent[] = [];
  const flags = traced ? ["nodejs_compat", "streaming_tail_worker", "experimental"] : ["nodejs_compat"];
  const one = (name: string, contents: string) => ({
    name,
    modules: [{ type: "ESModule" as const, path: `${name}.js`, contents }],
    compatibilityDate: "2026-04-24",
    compatibilityFlags: flags,
  });
  const bindings = {
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    ORIGIN_URL: origin.url,
    ORIGIN_TOKEN: secrets.origin,
    SESSION_SECRET: secrets.session,
    STORE_DEADLINE_MS: "10000",
    ROUTES: JSON.stringify(ROUTES),
  };
  const edge = one("edge", await readFile(await buildWorker(), "utf8"));
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    handleStructuredLogs({ message }: { message: string }) {
      if (message.startsWith("SPAN ")) events.push(JSON.parse(message.slice(5)) as SpanEvent);
    },
    workers: traced
      ? [{ ...edge, bindings, streamingTails: ["tail"] }, one("tail", TAIL)]
      : [{ ...edge, bindings }],
  });
  const url = await miniflare.ready;

  /** The spans of one request, by name, with what is said of each. */
  async function spansOf(path: string) {
    events.length = 0;
    const response = await fetch(new URL(path, url), {
      headers: { "x-api-key": SECRETS.key, "cf-connecting-ip": "203.0.113.1" },
    });
    await response.text();
    if (traced) await until(() => events.some(({ type }) => type === "outcome"), "the request is told of");
    const opened = events.filter(({ type }) => type === "spanOpen");
    const named = opened.map(({ name = "", spanId, of }) => ({
      name,
      spanId,
      of,
      said: Object.fromEntries(
        events
          .filter((event) => event.type === "attributes" && event.of === spanId)
          .flatMap(({ info = [] }) => info.map((each) => [each.name, each.value])),
      ),
    }));
    return { status: response.status, named, text: JSON.stringify(events) };
  }

  return { spansOf, stop: () => miniflare.dispose() };
}

describe("spans of the platform's tracing", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await openHarness();
  });
  afterAll(() => harness.stop());

  it("are those of identify, store, origin and deferred work, around the platform's own", async () => {
    const { spansOf, stop } = await start(harness, true);
    try {
      const path = `/v1/emissions/${SECRETS.path}?user=${SECRETS.user}`;
      const { named, text } = await spansOf(path);
      const own = named.filter(({ name }) => name.startsWith("edge."));
      expect(Object.fromEntries(own.map(({ name, said }) => [name, said]))).toEqual({
        "edge.identify": { "http.route": "/v1/emissions/*" },
        "edge.store": {
          "edge.calls": expect.any(Number),
          "edge.commands": expect.any(Number),
          "edge.outcome": "answered",
        },
        "edge.origin": { "edge.outcome": "answered", "http.response.status_code": expect.any(Number) },
        "edge.deferred": { "edge.works": expect.any(Number) },
      });
      const around = (fetched: string) =>
        named
          .filter(({ name, said }) => name === "fetch" && String(said["url.full"]).startsWith(fetched))
          .map(({ of }) => own.find(({ spanId }) => spanId === of)?.name);
      expect(around(harness.origin.url)).toEqual(["edge.origin"]);
      expect(around(harness.upstash.url)[0]).toBe("edge.store");
      // The platform's own spans have the URL that is fetched; those of the edge have none of it.
      const said = JSON.stringify(own);
      for (const secret of Object.values(SECRETS)) expect(said).not.toContain(secret);
      expect(text).not.toContain(SECRETS.key);
      const hit = await spansOf(path);
      expect(hit.named.map(({ name }) => name)).toContain("edge.identify");
      expect(hit.named.map(({ name }) => name)).not.toContain("edge.origin");
    } finally {
      await stop();
    }
  });

  it("say that the store does not answer", async () => {
    const { spansOf, stop } = await start(harness, true);
    try {
      await harness.upstash.stopEndpoint();
      const { status, named } = await spansOf("/v1/emissions/plain");
      expect(status).toBe(200);
      const store = named.find(({ name }) => name === "edge.store");
      expect(store?.said["edge.outcome"]).toBe("unreachable");
    } finally {
      await harness.upstash.startEndpoint();
      await stop();
    }
  });

  it("cost nothing where the invocation is not traced", async () => {
    const { spansOf, stop } = await start(harness, false);
    try {
      expect(await spansOf("/v1/emissions/plain")).toMatchObject({ status: 200, named: [] });
    } finally {
      await stop();
    }
  });
});
