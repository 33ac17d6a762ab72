import { expect, test } from "vitest";
import { openIsolate } from "../../../src/edge/full-isolate.ts";
import { edgeAnswer } from "../../../src/worker.ts";
import { testPlatform } from "../../support/platform.ts";

const TOKEN = "metrics-token-of-this-test-only";
const ADMIN_TOKEN = "admin-token-of-this-test-only";

async function ask(fields: Record<string, string>, vars: Record<string, string> = {}) {
  const sent: Headers[] = [];
  const platform = testPlatform({
    fetch: async (input, init) => {
      sent.push(new Request(input, init).headers);
      platform.advance(40);
      return new Response("x", {
        headers: {
          "server-timing": "db;dur=3",
          "cache-control": "public, max-age=60",
          "content-length": "1",
        },
      });
    },
  });
  const lines: string[] = [];
  const sink = { receive: (event: object) => void lines.push(JSON.stringify(event)) };
  const env = {
    ORIGIN_URL: "https://origin.example",
    LOG_LEVEL: "error",
    METRICS_TOKEN: TOKEN,
    ADMIN_TOKEN,
    ...vars,
  };
  const isolate = openIsolate(env, [{ path: "/v1/*", cache: { ttl: 60 } }], platform, [sink as never]);
  const works: Promise<unknown>[] = [];
  const waitUntil = (work: Promise<unknown>) => void works.push(work);
  const context = { waitUntil } as unknown as ExecutionContext;
  const get = async (headers: Record<string, string>) => {
    const response = await edgeAnswer(isolate)(
      new Request("https://edge.example/v1/x", { headers }),
      context,
    );
    await response.text();
    await platform.settle(works);
    return response;
  };
  const response = await get(fields);
  return { timing: response.headers.get("server-timing"), sent, lines, again: () => get({}) };
}

test("whoever sends the token is told where the time went, beside what the origin says", async () => {
  const { timing } = await ask({ "x-edge-metrics-token": TOKEN });
  expect(timing).toBe("db;dur=3, total;dur=40, origin;dur=40, cache;desc=miss");
});

test.each([
  ["nothing", {}],
  ["a wrong token", { "x-edge-metrics-token": "metrics-token-of-this-test-onlz" }],
  ["an empty one", { "x-edge-metrics-token": "" }],
  ["another of the edge's tokens", { "x-edge-metrics-token": ADMIN_TOKEN }],
  ["the token as a bearer", { authorization: `Bearer ${TOKEN}` }],
])("%s changes nothing", async (_, fields) => {
  expect((await ask(fields)).timing).toBe("db;dur=3");
});

test("without METRICS_TOKEN nobody is told", async () => {
  expect((await ask({ "x-edge-metrics-token": TOKEN }, { METRICS_TOKEN: "" })).timing).toBe("db;dur=3");
});

test.each(["x-edge-metrics-token", "X_Edge_Metrics_Token"])(
  "%s reaches neither the origin nor the log, and is in no stored answer",
  async (name) => {
    const { sent, lines, again } = await ask({ [name]: TOKEN });
    expect(JSON.stringify([...(sent[0] ?? [])])).not.toContain(TOKEN);
    expect(lines.join("")).not.toContain(TOKEN);
    const hit = await again();
    expect([hit.headers.get("x-cache"), hit.headers.get("server-timing")]).toEqual(["HIT", "db;dur=3"]);
    expect(sent).toHaveLength(1);
  },
);
