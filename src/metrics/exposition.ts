import type { Counts } from "./counts.ts";
import { type BucketsMs, type Family, families } from "./families.ts";

/** OpenMetrics 1.0, or Prometheus' older text format, which has no units and no end. */
export type Format = "openmetrics" | "prometheus";

/** The media type of each. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
};

/** What is true now, and is no count. */
export interface Gauge {
  name: string;
  help: string;
  samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

export interface Exposed {
  counts: Counts;
  gauges: readonly Gauge[];
  /** Labels that each sample of the counts has. */
  always: Readonly<Record<string, string>>;
}

type Labels = readonly (readonly [name: string, value: string])[];
type Sample = readonly [suffix: string, labels: Labels, value: number];

interface Metric {
  name: string;
  /** `unknown`: a counter whose name is known without the `_total` that OpenMetrics wants. */
  type: "counter" | "histogram" | "gauge" | "unknown";
  help: string;
  samples: Sample[];
}

/** The text of a scrape. Metrics without a number are left out. */
export function exposition({ counts, gauges, always }: Exposed, format: Format): string {
  const metrics = [
    ...families.flatMap((family) => metricsOf(family, counts, always)),
    ...gauges.map(({ name, help, samples }): Metric => {
      const all = samples.map(([labels, value]): Sample => ["", Object.entries(labels), value]);
      return { name, help, type: "gauge", samples: all };
    }),
  ];
  const lines = metrics.filter(({ samples }) => samples.length > 0).flatMap((each) => linesOf(each, format));
  return [...lines, ...(format === "openmetrics" ? ["# EOF"] : []), ""].join("\n");
}

function metricsOf(family: Family, counts: Counts, more: Readonly<Record<string, string>>): Metric[] {
  const always = Object.entries({ ...family.always, ...more });
  const counted = countedOf(family, counts).map(([values, numbers]) => {
    const own = family.labels.flatMap((name, index) => {
      const value = values[index] ?? "";
      // An empty label is none.
      return value === "" ? [] : [[name, value] as const];
    });
    return { labels: [...always, ...own], numbers };
  });
  const { name, help, bucketsMs, columns } = family;
  if (bucketsMs) {
    const samples = counted.flatMap(({ labels, numbers }) => histogram(bucketsMs, labels, numbers));
    return [{ name, help, type: "histogram", samples }];
  }
  const column = (index: number, suffix: string): Sample[] =>
    counted.map(({ labels, numbers }) => [suffix, labels, numbers[index] ?? 0]);
  if (!columns) return [{ name, help, type: "counter", samples: column(0, "_total") }];
  return columns.map(([column_, meaning], index) => ({
    ...{ name: `${name}${column_}`, help: meaning, type: "unknown" as const },
    samples: column(index, ""),
  }));
}

/** What is counted, and the values that a label is known to have. */
function countedOf(family: Family, counts: Counts): [labels: string[], numbers: readonly number[]][] {
  const counted = [...counts.of(family)];
  const missing = (family.values ?? []).filter((value) => counted.every(([[label]]) => label !== value));
  return [...counted, ...missing.map((value): [string[], number[]] => [[value], [0]])];
}

function histogram(bucketsMs: BucketsMs, labels: Labels, numbers: readonly number[]): Sample[] {
  let sum = 0;
  const buckets = [...bucketsMs, Number.POSITIVE_INFINITY].map((boundMs, index): Sample => {
    sum += numbers[index] ?? 0;
    return ["_bucket", [...labels, ["le", boundText(boundMs)]], sum];
  });
  const seconds = (numbers[bucketsMs.length + 1] ?? 0) / 1000;
  return [...buckets, ["_count", labels, sum], ["_sum", labels, seconds]];
}

/** Seconds, as both formats write a bound: with a point. */
function boundText(boundMs: number): string {
  if (boundMs === Number.POSITIVE_INFINITY) return "+Inf";
  const text = String(boundMs / 1000);
  return text.includes(".") ? text : `${text}.0`;
}

function linesOf({ name, type, help, samples }: Metric, format: Format): string[] {
  const isOpen = format === "openmetrics";
  const named = type === "counter" && !isOpen ? `${name}_total` : name;
  return [
    `# TYPE ${named} ${type === "unknown" && !isOpen ? "counter" : type}`,
    ...(isOpen && name.endsWith("_seconds") ? [`# UNIT ${named} seconds`] : []),
    `# HELP ${named} ${help}`,
    ...samples.map(([suffix, labels, value]) => `${name}${suffix}${labelText(labels)} ${value}`),
  ];
}

function labelText(labels: Labels): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",")}}`;
}

/** As OpenMetrics writes a label's value; a line break of another kind would end no line, but is no character of a name. */
function escaped(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/\n/g, "\\n").replace(/"/g, '\\"');
}

/**
 * The format that a field `Accept` prefers (RFC 9110 §12.5.1); OpenMetrics where it has no preference, or names neither.
 */
export function formatFor(accept: string | null): Format {
  const weights = { openmetrics: 0, prometheus: 0 };
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type = "", ...parameters] = range.split(";").map((each) => each.trim());
    const q = parameters.find((each) => /^q\s*=/.test(each))?.replace(/^q\s*=\s*/, "");
    const weight = q === undefined ? 1 : Number(q) || 0;
    if (type === "application/openmetrics-text") weights.openmetrics = Math.max(weights.openmetrics, weight);
    if (type === "text/plain" || type === "text/*") weights.prometheus = Math.max(weights.prometheus, weight);
  }
  return weights.prometheus > weights.openmetrics ? "prometheus" : "openmetrics";
}
