import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import parsePrometheus from "parse-prometheus-text-format";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import type { RouteInput } from "../../src/config/route.ts";
import { type Harness, openHarness } from "../support/edge/harness.ts";
import { until } from "../support/until.ts";

const TOKEN = "metrics-token-of-this-test-only-0123";
let harness: Harness;
const scraped = { openmetrics: "", prometheus: "" };

async function scrape(accept: string): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}`, accept };
  const response = await harness.edge.fetch("/edge/metrics", { headers });
  expect(response.status).toBe(200);
  return response.text();
}

const ROUTES: RouteInput[] = [
  { path: "/v1/emissions/factors", cache: { ttl: 60, scope: "public" } },
  { path: "/v1/echo/few", limits: [{ name: "few", limit: 2, window: "1 h" }] },
  { path: "/v1/echo/signed-in", access: "session" },
  // What a name may hold, and what a text of labels must escape.
  { path: '/v1/echo/:odd{"odd\\\\name"}' },
  { path: "/*" },
];

/** Something of every kind that is counted. */
async function traffic(): Promise<void> {
  const { fetch } = harness.edge;
  const token = await harness.token("ada");
  const service = { authorization: `Bearer ${harness.secrets.service}` };
  for (let sent = 0; sent < 3; sent += 1) await fetch("/v1/emissions/factors");
  await fetch("/v1/emissions/factors", { headers: { "if-match": '"x"' } });
  for (let sent = 0; sent < 4; sent += 1) await fetch("/v1/echo/few");
  await fetch("/v1/status/500");
  await fetch("/v1/echo/%22odd%5Cname%22");
  await fetch("/v1/echo/signed-in", { headers: { authorization: "Bearer es1.forged.token" } });
  await fetch("/v1/echo/signed-in", { headers: { authorization: `Bearer ${token}` } });
  await fetch("/auth/sessions/users/ada", { method: "DELETE", headers: service });
}

/** What an isolate has counted is written with the first request after ten seconds; what was there at first, at once. */
async function afterTraffic(accept: string): Promise<string> {
  let text = "";
  await until(async () => {
    text = await scrape(accept);
    return /session_changes_total\{change="ended_user"\} [1-9]/.test(text);
  }, "what was counted is written");
  return text;
}

beforeAll(async () => {
  harness = await openHarness({ vars: { METRICS_TOKEN: TOKEN, ROUTES } });
  await traffic();
  scraped.openmetrics = await afterTraffic("application/openmetrics-text");
  scraped.prometheus = await scrape("text/plain");
});
afterAll(() => harness.stop());

/** The official client's parser, which refuses what the specification of OpenMetrics does. */
const PARSER = `
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
print(len(list(text_string_to_metric_families(sys.stdin.read()))))
`;
/** The one that Debian's package python3-prometheus-client belongs to; another may stand before it in the PATH. */
const PYTHON = existsSync("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
const hasParser = spawnSync(PYTHON, ["-c", "import prometheus_client"]).status === 0;

describe("a scrape", () => {
  it.runIf(hasParser || process.env.REQUIRE_OPENMETRICS)("is valid OpenMetrics", () => {
    const parsed = spawnSync(PYTHON, ["-c", PARSER], { input: scraped.openmetrics, encoding: "utf8" });
    expect(parsed.stderr).toBe("");
    expect(Number(parsed.stdout)).toBeGreaterThan(15);
    const broken = scraped.openmetrics.replace(/le="1\.0"\} \d+/, 'le="1.0"} 99999999');
    expect(spawnSync(PYTHON, ["-c", PARSER], { input: broken }).status, "it can refuse").not.toBe(0);
  });

  it("is valid in Prometheus' text format", () => {
    const families = parsePrometheus(scraped.prometheus);
    const names = families.map(({ name }) => name);
    expect(new Set(names).size, "each metric once").toBe(names.length);
    expect(names).toContain("http_server_request_duration_seconds");
    expect(families.find(({ name }) => name === "envoyou_edge_verdicts_total")?.type).toBe("COUNTER");
    expect(() => parsePrometheus("a{b=c} 1\n"), "it can refuse").toThrow();
  });

  it("has each family of the table in the docs, and no other", async () => {
    const docs = await readFile("docs/operating.md", "utf8");
    const [, table = ""] = /\| metric \| type [^\n]*\n\|[-|]+\n((?:\|[^\n]*\n)+)/.exec(docs) ?? [];
    const documented = [...table.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = ""]) => {
      const [first = "", ...more] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
      return [first, ...more.map((name) => name.replace("…", first.replace(/_[a-z]+_[a-z]+$/, "")))];
    });
    const sent = [...scraped.prometheus.matchAll(/^# TYPE (\S+) /gm)].map(([, name = ""]) => name);
    expect(sent.sort()).toEqual(documented.sort());
  });

  it("has no secret, no address, no user and no session in clear; nor has Redis", async () => {
    const { secrets, upstash } = harness;
    const inRedis = JSON.stringify(
      upstash.calls
        .map(({ commands }) => commands)
        .filter((commands) => /:(m|t|h|f):?\d*"/.test(JSON.stringify(commands))),
    );
    expect(inRedis).toContain("allowed");
    for (const text of [scraped.openmetrics, scraped.prometheus, inRedis]) {
      for (const secret of [...Object.values(secrets), TOKEN, "127.0.0.1", '"ada"', "es1."])
        expect(text).not.toContain(secret);
    }
  });
});

describe("what is read out of it", () => {
  const NAME = /\b(?:envoyou_edge|ratelimit_service|http_server|http_client|db_client)_[a-z0-9_]+/g;
  const isScraped = (name: string) => new RegExp(`^${name}[{ ]`, "m").test(scraped.openmetrics);

  function expectNames(expressions: readonly string[]): void {
    const names = expressions.map((expression) => expression.match(NAME) ?? []);
    expect(names.filter((each) => each.length === 0)).toEqual([]);
    expect([...new Set(names.flat())].filter((name) => !isScraped(name))).toEqual([]);
    // In an outage each scrape has the counts of another isolate: their rate would be nonsense.
    const inRanges = expressions.flatMap(
      (expression) => expression.match(/[a-z_]+(?:\{[^}]*\})?(?=\[[^\]]+\])/g) ?? [],
    );
    expect(inRanges.length).toBeGreaterThan(8);
    expect(inRanges.filter((selector) => !selector.includes('partial=""'))).toEqual([]);
  }

  it("the dashboard is JSON, asks for metrics that there are, and each panel has its own place", async () => {
    const dashboard = JSON.parse(await readFile("docs/examples/grafana-dashboard.json", "utf8")) as Dashboard;
    const panels = dashboard.panels.filter(({ type }) => type !== "row");
    expect(panels.length).toBeGreaterThan(15);
    expectNames(panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)));
    const places = dashboard.panels.map(({ gridPos: { x, y } }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(places.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(places.length);
  });

  it("the alert rules are YAML, ask for metrics that there are, and say what to do", async () => {
    const { groups } = parseYaml(await readFile("docs/examples/alert-rules.yaml", "utf8")) as Rules;
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.map(({ alert }) => alert)).toEqual([
      "EdgeStoreLost",
      "EdgeHitRatioFell",
      "EdgeManyNearLimit",
      "EdgeOrigin5xx",
      "EdgeSessionsRefused",
    ]);
    expectNames(rules.map(({ expr }) => expr));
    // What nobody counted a day ago has no series of then, and no alert would begin.
    for (const { alert, expr } of rules.filter(({ expr }) => /by \(\w+\).*offset/.test(expr)))
      expect(expr, alert).toMatch(/ or 0 \* sum by/);
    for (const { annotations, labels, for: lasting } of rules) {
      expect(annotations.summary).toMatch(/\w/);
      expect(annotations.description).toMatch(/\w/);
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(lasting).toMatch(/^\d+m$/);
    }
  });
});

interface Dashboard {
  panels: {
    id: number;
    type: string;
    gridPos: { x: number; y: number };
    targets?: { expr: string }[];
  }[];
}

interface Rules {
  groups: {
    rules: {
      alert: string;
      expr: string;
      for: string;
      labels: { severity: string };
      annotations: { summary: string; description: string };
    }[];
  }[];
}
