import { describe, expect, it } from "vitest";
import { Counts, count, observe } from "../../../src/metrics/counts.ts";
import { exposition } from "../../../src/metrics/exposition.ts";
import {
  families,
  limitChecks,
  sessionRefusals,
  storeCalls,
  storeLosses,
  verdicts,
} from "../../../src/metrics/families.ts";

const open = () => new Counts(24_000, 100);
const linesOf = (counts: Counts, format: "openmetrics" | "prometheus" = "openmetrics") =>
  exposition({ counts, gauges: [], always: {} }, format).split("\n");

describe("the text of a scrape", () => {
  it("of nothing is its end, after the counters whose labels are known: those are 0", () => {
    const samples = linesOf(open()).filter((line) => !/^# (TYPE|HELP|UNIT)/.test(line));
    expect(samples.slice(-2)).toEqual(["# EOF", ""]);
    expect(samples.slice(0, -2)).toContain('envoyou_edge_store_lost_total{reason="timeout"} 0');
    for (const line of samples.slice(0, -2))
      expect(line).toMatch(/^envoyou_edge_(session_changes|store_lost)_total\{\w+="\w+"\} 0$/);
    expect(linesOf(open(), "prometheus").at(-1)).toBe("");
  });

  it("what was counted of a known label stands there once, and what is not known beside it", () => {
    const counts = open();
    count(counts.at(storeLosses, "timeout"), 0, 3);
    count(counts.at(storeLosses, "of a later version"));
    const lines = linesOf(counts).filter((line) => line.startsWith("envoyou_edge_store_lost_total"));
    expect(lines.filter((line) => line.includes("timeout"))).toEqual([
      'envoyou_edge_store_lost_total{reason="timeout"} 3',
    ]);
    expect(lines).toContain('envoyou_edge_store_lost_total{reason="of a later version"} 1');
    expect(new Set(lines).size).toBe(lines.length);
  });

  it.each([
    ['a"b', 'a\\"b'],
    ["a\\b", "a\\\\b"],
    ["a\nb", "a\\nb"],
    ['\\"\n', '\\\\\\"\\n'],
    ["é,{}=", "é,{}="],
  ])("a label's value %j is written %j", (value, written) => {
    const counts = open();
    count(counts.at(verdicts, value, "allowed"));
    expect(linesOf(counts).find((line) => line.startsWith("envoyou_edge_verdicts_total"))).toBe(
      `envoyou_edge_verdicts_total{http_route="${written}",verdict="allowed"} 1`,
    );
  });

  it("an empty label is left out, and buckets add up", () => {
    const counts = open();
    for (const ms of [0, 1, 7, 60_000]) observe(counts.at(storeCalls, ""), storeCalls, ms);
    const lines = linesOf(counts);
    const of = (text: string) =>
      lines
        .find((line) => line.includes(text))
        ?.split(" ")
        .at(-1);
    expect(lines.filter((line) => line.includes("error_type"))).toEqual(
      lines.filter((line) => line.startsWith("# HELP") && line.includes("error_type")),
    );
    expect(
      ['le="0.001"', 'le="0.005"', 'le="0.01"', 'le="10.0"', 'le="+Inf"', "_count{", "_sum{"].map(of),
    ).toEqual(["2", "2", "3", "3", "4", "4", "60.008"]);
  });

  it("a counter has its suffix in the name of the older format, Envoy's names have none in either", () => {
    const counts = open();
    count(counts.at(sessionRefusals, "/x", "idle"));
    count(counts.at(limitChecks, "/x", "few", "redis"));
    expect(linesOf(counts)).toContain("# TYPE envoyou_edge_sessions_refused counter");
    expect(linesOf(counts, "prometheus")).toContain("# TYPE envoyou_edge_sessions_refused_total counter");
    const hits = "ratelimit_service_rate_limit_total_hits";
    expect(linesOf(counts)).toContain(`# TYPE ${hits} unknown`);
    expect(linesOf(counts, "prometheus")).toContain(`# TYPE ${hits} counter`);
  });
});

it("no two families share a key or a name", () => {
  for (const name of ["key", "name"] as const)
    expect(new Set(families.map((family) => family[name])).size).toBe(families.length);
});
