import { describe, expect, it } from "vitest";
import { logLine, plainLine, writtenAt } from "../../../../src/tools/start/log-lines.ts";

describe("logLine", () => {
  it.each(["", "text", "{", '{"level":"warn"}', '{"event":"x"}', "[1]", "null", '"{"'])(
    "%s is no line of the Worker's log",
    (text) => expect(logLine(text)).toBeNull(),
  );
  it("reads an event", () => {
    expect(logLine('{"level":"info","event":"request","status":200}')).toMatchObject({
      event: "request",
      status: 200,
    });
  });
});

describe("warnings are plain lines", () => {
  it.each([
    [{ level: "warn", event: "config.warning", message: "X is not set." }, "warning: X is not set."],
    [
      { level: "error", event: "store.lost", reason: "refused", status: 401 },
      "error: store.lost, reason refused, status 401",
    ],
    [
      {
        level: "warn",
        event: "request",
        request_id: "1",
        method: "GET",
        route: "/v1/*",
        status: 502,
        verdict: "origin_unreachable",
        cache: null,
      },
      "warning: GET /v1/* → 502 origin_unreachable",
    ],
    [
      {
        level: "warn",
        event: "origin.failed",
        time: "t",
        request_id: "1",
        route: "*",
        host: "127.0.0.1:9",
        reason: "unreachable",
      },
      "warning: origin.failed, route *, host 127.0.0.1:9, reason unreachable",
    ],
    [{ level: "warn", event: "x", list: ["a"] }, 'warning: x, list ["a"]'],
    [{ level: "info", event: "request" }, null],
    [{ level: "debug", event: "x" }, null],
  ])("%j", (line, text) => {
    expect(plainLine(line)).toBe(text);
  });
});

const NOW = 1_000_000_000_000;
it.each([
  ["at once", NOW, NOW],
  ["a moment ago", NOW - 40, NOW - 40],
  ["seconds ago, on a busy machine", NOW - 9000, NOW - 9000],
  ["in the next moment", NOW + 40, NOW + 40],
  ["before the machine's clock was set back", NOW + 600_000, NOW],
  ["before the machine's clock was set ahead", NOW - 3_600_000, NOW],
  ["at the epoch", 0, NOW],
])("a line that was written %s", (_, told, at) => {
  expect(writtenAt(told, NOW)).toBe(at);
});
