import { describe, expect, it } from "vitest";
import { Counts } from "../../../src/metrics/counts.ts";
import { limitChecks, originAnswers, requests, sessionChanges } from "../../../src/metrics/families.ts";
import { createMeter } from "../../../src/metrics/gather.ts";

function meter() {
  const counts = new Counts(24_000, 100);
  return { counts, meter: createMeter(counts) };
}

const window = (over: object) => ({
  policy: { name: "few", limit: 10 },
  caller: "c",
  remaining: 5,
  short: false,
  enforced: true,
  ...over,
});

describe("a limit", () => {
  // total, within, near, over, shadow
  it.each<[what: string, over: object, numbers: number[]]>([
    ["half used", {}, [1, 1]],
    ["80 % used", { remaining: 2 }, [1, 1]],
    ["90 % used", { remaining: 1 }, [1, 1, 1]],
    ["used up by this request", { remaining: 0 }, [1, 1, 1]],
    ["without room", { remaining: 0, short: true }, [1, 0, 0, 1]],
    ["without room for its cost, though not near", { remaining: 6, short: true }, [1, 0, 0, 1]],
    ["without room, in shadow", { remaining: 0, short: true, enforced: false }, [1, 0, 0, 0, 1]],
    ["near, in shadow", { remaining: 1, enforced: false }, [1, 1, 1]],
    ["of one, used up", { policy: { name: "few", limit: 1 }, remaining: 0 }, [1, 1, 1]],
    ["with units of a lease left", { remaining: 12 }, [1, 1]],
  ])("%s", (_, over, expected) => {
    const { counts, meter: metered } = meter();
    metered.limits("/x", [window(over)], "redis");
    const [[labels, numbers] = [[], []]] = counts.of(limitChecks);
    expect(labels).toEqual(["/x", "few", "redis"]);
    expect(Array.from({ length: 5 }, (_, index) => numbers[index] ?? 0)).toEqual(
      [...expected, 0, 0, 0].slice(0, 5),
    );
    const denied = (over as { short?: boolean; enforced?: boolean }).short && !("enforced" in over);
    expect(counts.denied.top(5)).toEqual(denied ? [["c", [1, 0]]] : []);
  });

  it("a request that several windows deny is one denial of its caller", () => {
    const { counts, meter: metered } = meter();
    metered.limits("/x", [window({ short: true }), window({ short: true, caller: "d" })], "block");
    expect(counts.denied.top(5).map(([, [n]]) => n)).toEqual([1]);
  });
});

it.each<[result: number | string, labels: string[]]>([
  [200, ["/x", "200", ""]],
  [404, ["/x", "404", ""]],
  [500, ["/x", "500", "500"]],
  [103, ["/x", "103", ""]],
  ["timeout", ["/x", "", "timeout"]],
])("the origin's %s has the labels %j", (result, labels) => {
  const { counts, meter: metered } = meter();
  metered.origin("/x", result, 7);
  expect([...counts.of(originAnswers)].map(([path]) => path)).toEqual([labels]);
});

it("events are counted by their words, others are not", () => {
  const { counts, meter: metered } = meter();
  metered.event("session.created", { session: "s", durable: true });
  metered.event("session.revoked_all", { user: "u" });
  metered.event("cors.preflight", { status: 204, allowed: false });
  metered.event("store.far", { median_ms: 200 });
  metered.event("request", { route: "/x", method: "other", status: 503, verdict: "failed", total_ms: 12 });
  expect([...counts.of(sessionChanges)].map(([path]) => path)).toEqual([["created"], ["ended_user"]]);
  expect([...counts.of(requests)].map(([path]) => path)).toEqual([
    ["*", "OPTIONS", "204"],
    ["/x", "other", "503"],
  ]);
  expect(counts.text).not.toMatch(/"s"|"u"/);
});
