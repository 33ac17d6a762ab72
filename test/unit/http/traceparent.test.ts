import { describe, expect, it } from "vitest";
import { traceFor } from "../../../src/http/traceparent.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";
const platform = { randomBytes: (n: number) => new Uint8Array(n).fill(0xab) };

describe("the trace for the origin", () => {
  it.each<[what: string, incoming: string, flags: string]>([
    ["sampled", `00-${TRACE}-${SPAN}-01`, "01"],
    ["not sampled", `00-${TRACE}-${SPAN}-00`, "00"],
    ["with a random id (Trace Context 2)", `00-${TRACE}-${SPAN}-03`, "03"],
    // w3c/trace-context 296, opentelemetry-go 5075: flags that nobody knows are not passed on.
    ["with unknown flags", `00-${TRACE}-${SPAN}-ff`, "03"],
    ["with an unknown flag alone", `00-${TRACE}-${SPAN}-04`, "00"],
    ["of a later version", `01-${TRACE}-${SPAN}-01`, "01"],
    ["of a later version, with more behind it", `cc-${TRACE}-${SPAN}-01-what-the-future-says`, "01"],
    ["of a later version, with a bare hyphen", `fe-${TRACE}-${SPAN}-01-`, "01"],
  ])("is the caller's: %s", (_what, incoming, flags) => {
    expect(traceFor(incoming, platform)).toEqual({
      traceparent: `00-${TRACE}-${"ab".repeat(8)}-${flags}`,
      continued: true,
    });
  });

  it.each<[what: string, incoming: string | null]>([
    ["none", null],
    ["an empty field", ""],
    ["version ff", `ff-${TRACE}-${SPAN}-01`],
    ["version ff with more", `ff-${TRACE}-${SPAN}-01-x`],
    ["version 00 with more behind it", `00-${TRACE}-${SPAN}-01-x`],
    ["version 00 with a bare hyphen", `00-${TRACE}-${SPAN}-01-`],
    ["a later version, longer without a hyphen", `01-${TRACE}-${SPAN}-011`],
    ["a later version, too short", `01-${TRACE}-${SPAN}-0`],
    ["upper case", `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ["upper case in the flags", `00-${TRACE}-${SPAN}-0A`],
    ["a trace of zeros", `00-${"0".repeat(32)}-${SPAN}-01`],
    ["a span of zeros", `00-${TRACE}-${"0".repeat(16)}-01`],
    ["two fields", `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`],
    ["hyphens at other places", `000-${TRACE.slice(1)}-${SPAN}-01`],
    ["a line break behind it", `00-${TRACE}-${SPAN}-01\n`],
    ["a version that is no number", `0x-${TRACE}-${SPAN}-01`],
    ["10 kB", `01-${TRACE}-${SPAN}${"0".repeat(10_000)}`],
  ])("is a new one, not sampled, for %s", (_what, incoming) => {
    expect(traceFor(incoming, platform)).toEqual({
      traceparent: `00-${"ab".repeat(16)}-${"ab".repeat(8)}-00`,
      continued: false,
    });
  });
});
