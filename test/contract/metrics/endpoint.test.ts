import { describe, expect, it } from "vitest";
import { ADMIN_TOKEN, METRICS_TOKEN, meteredEdge, samplesOf, total } from "../../support/metered-edge.ts";

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN = "text/plain; version=0.0.4; charset=utf-8";

describe("GET /edge/metrics", () => {
  it.each<[method: string, headers: Record<string, string>, status: number]>([
    ["GET", bearer(METRICS_TOKEN), 200],
    ["HEAD", bearer(METRICS_TOKEN), 200],
    ["POST", bearer(METRICS_TOKEN), 405],
    ["DELETE", bearer(METRICS_TOKEN), 405],
    ["OPTIONS", bearer(METRICS_TOKEN), 405],
    ["GET", {}, 401],
    ["POST", {}, 401],
    ["GET", bearer(`${METRICS_TOKEN}x`), 401],
    ["GET", bearer(ADMIN_TOKEN), 401],
    ["GET", bearer("service-token-of-this-test-only"), 401],
    ["GET", { "x-api-key": METRICS_TOKEN }, 401],
    ["GET", { authorization: `Basic ${btoa(`x:${METRICS_TOKEN}`)}` }, 401],
  ])("%s with %o is %i", async (method, headers, status) => {
    const { ask } = meteredEdge();
    const response = await ask("/edge/metrics", { method, headers });
    expect(response.status).toBe(status);
    expect(response.headers.get("cache-control")).toBe("no-store");
    if (status === 405) expect(response.headers.get("allow")).toBe("GET, HEAD");
    if (status === 401) expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
    if (method === "HEAD") expect(await response.text()).toBe("");
  });

  it.each(["GET", "HEAD", "POST"])(
    "%s is 404 where METRICS_TOKEN is not set, whatever the token",
    async (method) => {
      const { ask } = meteredEdge({ env: { METRICS_TOKEN: " " } });
      for (const token of [METRICS_TOKEN, ADMIN_TOKEN, ""])
        expect((await ask("/edge/metrics", { method, headers: bearer(token) })).status).toBe(404);
    },
  );

  it.each<[path: string, method: string, status: number]>([
    ["/edge/cache/purge", "POST", 401],
    ["/edge/limits/user:ada", "GET", 401],
    ["/auth/sessions", "POST", 401],
    ["/Edge/Metrics", "GET", 404],
    ["/auth/x", "GET", 404],
  ])("its token opens nothing else: %s", async (path, method, status) => {
    const sent: string[] = [];
    const { ask } = meteredEdge({
      origin: (url) => {
        sent.push(url);
        return new Response();
      },
    });
    expect((await ask(path, { method, headers: bearer(METRICS_TOKEN) })).status).toBe(status);
    expect(sent, "the origin does not see it").toEqual([]);
  });

  it("a wrong token is refused eleven times a minute as any of the edge's, and the right one is not", async () => {
    const { ask, scrape } = meteredEdge();
    for (let tried = 0; tried < 10; tried += 1) await ask("/edge/metrics", { headers: bearer("wrong") });
    expect((await ask("/edge/metrics", { headers: bearer("wrong") })).status).toBe(429);
    expect((await scrape()).status).toBe(200);
  });

  it.each<[accept: string | null, type: string]>([
    [null, OPEN],
    ["*/*", OPEN],
    ["application/openmetrics-text", OPEN],
    ["application/openmetrics-text; version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPEN],
    [
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3",
      OPEN,
    ],
    ["text/plain", PLAIN],
    ["text/plain;version=0.0.4;charset=utf-8", PLAIN],
    ["TEXT/PLAIN;q=0.9, application/openmetrics-text;q=0.2", PLAIN],
    ["application/openmetrics-text;q=0, text/plain", PLAIN],
    ["application/vnd.google.protobuf;proto=x;q=0.7,text/plain;q=0.3", PLAIN],
    ["application/json", OPEN],
    ["text/*", PLAIN],
    ["text/html, text/*;q=0.5", PLAIN],
    // Prometheus 3.
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      OPEN,
    ],
    ["text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.2", PLAIN],
    [";;,q=,text/plain;q=nothing", OPEN],
  ])("Accept: %s is answered with %s", async (accept, type) => {
    const { scrape } = meteredEdge();
    const response = await scrape(accept === null ? {} : { accept });
    expect(response.headers.get("content-type")).toBe(type);
    expect(response.headers.get("vary")).toMatch(/accept/i);
    expect((await response.text()).endsWith("# EOF\n")).toBe(type === OPEN);
  });
});

describe("in an outage", () => {
  it("a scrape has what this isolate knows, in samples of their own, and says so", async () => {
    const { wire, times, scrape } = meteredEdge();
    await times(3, "/x");
    wire.cut = true;
    await times(2, "/limited");
    for (let tried = 0; tried < 3; tried += 1) {
      const response = await scrape({ accept: "text/plain" });
      expect(response.status).toBe(200);
      const samples = await samplesOf(response);
      expect(total(samples, "envoyou_edge_metrics_complete")).toBe(0);
      const partial = total(samples, "http_server_request_duration_seconds_count", { partial: "true" });
      expect(partial).toBe(total(samples, "http_server_request_duration_seconds_count"));
      expect(partial).toBe(5 + tried);
      expect(
        total(samples, "db_client_operation_duration_seconds_count", { error_type: "unreachable" }),
      ).toBeGreaterThan(0);
    }
    const samples = await samplesOf(await scrape({ accept: "text/plain" }));
    expect(total(samples, "envoyou_edge_store_breaker_state", { state: "open" })).toBe(1);
    expect(total(samples, "envoyou_edge_store_lost_total", { reason: "unreachable" })).toBe(1);
    expect(total(samples, "ratelimit_service_rate_limit_total_hits", { source: "local" })).toBe(2);
  });

  it("and without a store, as well", async () => {
    const env = { UPSTASH_REDIS_REST_URL: "", UPSTASH_REDIS_REST_TOKEN: "" };
    const { times, samples } = meteredEdge({ env });
    await times(3, "/x");
    const scraped = await samples();
    expect(total(scraped, "http_server_request_duration_seconds_count")).toBe(3);
    expect(total(scraped, "envoyou_edge_metrics_complete")).toBe(0);
  });
});
