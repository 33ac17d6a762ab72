import { describe, expect, it } from "vitest";
import { Counts, count, observe } from "../../../src/metrics/counts.ts";
import {
  originAnswers,
  requests,
  sessionChanges,
  storeLosses,
  verdicts,
} from "../../../src/metrics/families.ts";
import { allOf, type Latest, totalsText } from "../../../src/metrics/totals.ts";

const DAY = 24 * 60;
/** Minutes since the epoch. */
const NOW = 29_000_000;

/** What an isolate has written that has answered one request of each route so many times. */
function isolate(routes: readonly string[], times = 1): Latest {
  const counts = new Counts(24_000, 100);
  for (const route of routes) {
    observe(counts.at(requests, route, "GET", "200"), requests, 3);
    observe(counts.at(originAnswers, route, "200", ""), originAnswers, 3);
    count(counts.at(verdicts, route, "allowed"), 0, times);
  }
  return { minute: NOW, text: `1;1 ${counts.text}` };
}

const isolates = (...texts: Latest[]) => new Map(texts.map((text, index) => [`id-${index}`, text]));
const shown = (counts: Counts) =>
  Object.fromEntries([...counts.of(verdicts)].map(([path, [n]]) => [path.join(" "), n]));
const everyone = () => true;

/** The totals once all of these isolates are gone, one after the other. */
function afterwards(...steps: [minute: number, routes: string[]][]): string {
  return steps.reduce<string | null>(
    (totals, [minute, routes]) =>
      totalsText({ totals, isolates: isolates(isolate(routes)), minute }, everyone, false),
    null,
  ) as string;
}

const NAMES: readonly [what: string, name: (generation: number, route: number) => string][] = [
  ["short names", (generation, route) => `/v${generation}/${route}`],
  ["names of 100 characters", (generation, route) => `/v${generation}/${route}/${"x".repeat(90)}`],
  ["numbers", (generation, route) => String(100 * generation + route)],
  ["names that JSON escapes", (generation, route) => `/"\\${generation}\n${route}`],
  ["names of other alphabets", (generation, route) => `/é🙂${generation}/${route}`],
  ["names of an object", (generation, route) => `__proto__${route === 0 ? "" : `${generation}.${route}`}`],
  ["names that sort backwards", (generation, route) => `/${1000 - generation}/${route}`],
  ["names with commas", (generation, route) => `/${generation},${route},`],
];

describe("all routes renamed 50 times", () => {
  it.each(NAMES)("%s: the current ones are counted by themselves, within the bound", (_what, name) => {
    let totals: string | null = null;
    for (let generation = 1; generation <= 50; generation += 1) {
      const routes = Array.from({ length: 20 }, (_, route) => name(generation, route));
      const minute = NOW + 5 * generation;
      const known = {
        totals,
        isolates: isolates(isolate(routes), isolate(["/stays", ...routes], 2)),
        minute,
      };
      const now = shown(allOf(known));
      expect(now["/stays allowed"]).toBe(2 * generation);
      for (const route of routes) expect(now[`${route} allowed`], route).toBeGreaterThanOrEqual(3);
      expect(now["other other"]).toBeUndefined();
      totals = totalsText(known, everyone, false);
      // What a scrape has shown it shows when the isolates are gone.
      expect(shown(allOf({ totals, isolates: new Map(), minute: minute + 1 }))).toEqual(now);
      expect(totals.length).toBeLessThan(72_000);
    }
  });

  it("those that were counted last are kept, however many there is room for", () => {
    const routes = (generation: number) =>
      Array.from({ length: 5 }, (_, route) => `/v${generation}/${route}/${"x".repeat(90)}`);
    const totals = afterwards(
      ...Array.from({ length: 50 }, (_, generation): [number, string[]] => [
        NOW + generation,
        generation === 40 ? ["/quiet", ...routes(generation)] : routes(generation),
      ]),
    );
    const left = shown(allOf({ totals, isolates: new Map(), minute: NOW + 51 }));
    expect(left["/quiet allowed"]).toBe(1);
    expect(left["other other"]).toBeUndefined();
    const names = Object.keys(left).filter((name) => name !== "/quiet allowed");
    const oldest = Math.min(...names.map((name) => Number(/^\/v(\d+)/.exec(name)?.[1])));
    expect(oldest).toBeGreaterThan(0);
    expect(oldest).toBeLessThan(40);
    expect(names.length).toBeGreaterThan(5 * (49 - oldest));
  });
});

describe("a series that nobody counts any more", () => {
  it.each([
    [0, true],
    [1, true],
    [31 * DAY, true],
    [35 * DAY, true],
    [35 * DAY + 1, false],
    [365 * DAY, false],
    // A clock that went back.
    [-10, true],
  ])("is there %i minutes later: %s", (later, isThere) => {
    const totals = afterwards([NOW, ["/gone"]]);
    const known = { totals, isolates: isolates(isolate(["/new"])), minute: NOW + later };
    expect(shown(allOf(known))["/gone allowed"]).toBe(isThere ? 1 : undefined);
    expect(totalsText(known, everyone, false).includes("/gone")).toBe(isThere);
    expect(shown(allOf(known))["/new allowed"]).toBe(1);
  });

  it("has ended 36 days later however often others were counted, and begins anew", () => {
    const days = Array.from({ length: 36 }, (_, day): [number, string[]] => [NOW + (day + 1) * DAY, ["/x"]]);
    const totals = afterwards([NOW, ["/gone", "/x"]], ...days);
    const known = { totals, isolates: isolates(isolate(["/gone"], 4)), minute: NOW + 37 * DAY };
    expect(shown(allOf(known))).toEqual({ "/x allowed": 37, "/gone allowed": 4 });
  });

  it("goes on where it has 0 from the beginning, or stands for what was beyond the bound", () => {
    const counts = new Counts(24_000, 100);
    count(counts.at(sessionChanges, "ended_everyone"), 0, 3);
    count(counts.at(storeLosses, "timeout"), 0, 2);
    count(counts.at(verdicts, "other", "other"), 0, 7);
    count(counts.at(verdicts, "other", "allowed"), 0, 1);
    const first = {
      totals: null,
      isolates: isolates({ minute: NOW, text: `1 ${counts.text}` }),
      minute: NOW,
    };
    const totals = totalsText(first, everyone, false);
    const later = allOf({ totals, isolates: new Map(), minute: NOW + 300 * DAY });
    expect([...later.of(sessionChanges)]).toEqual([[["ended_everyone"], [3]]]);
    expect([...later.of(storeLosses)]).toEqual([[["timeout"], [2]]]);
    expect(shown(later)).toEqual({ "other other": 7 });
  });
});

it.each<[what: string, seen: string | undefined]>([
  ["nothing, as an earlier version", undefined],
  ["an empty text", ""],
  ["too few", NOW.toString(36)],
  ["too many", Array(500).fill(NOW.toString(36)).join()],
  ["what is no number", ",,!,-,é,NaN,.,0,"],
  ["0", "0,0,0,0,0,0"],
  ["less than 0", "-1,-zzzz,-2,-3,-4,-5"],
])("totals that say when they were counted by %s lose nothing that lately was", (_what, s) => {
  const totals = JSON.stringify({ ...JSON.parse(afterwards([NOW, ["/x", "/y"]])), s });
  const known = { totals, isolates: isolates(isolate(["/x", "/y"])), minute: NOW + 1 };
  expect(shown(allOf(known))).toEqual({ "/x allowed": 2, "/y allowed": 2 });
  const next = totalsText(known, everyone, false);
  expect(shown(allOf({ totals: next, isolates: new Map(), minute: NOW + 2 }))).toEqual({
    "/x allowed": 2,
    "/y allowed": 2,
  });
});

it.each(["", "{", "null", "[]", '{"f":1}', '{"f":{"ver":[1]}}'])("totals that are none: %s", (totals) => {
  const known = { totals, isolates: isolates(isolate(["/x"])), minute: NOW };
  expect(shown(allOf(known))).toEqual({ "/x allowed": 1 });
});

it("more live series than there is room for: those that were first go on, the rest is `other`, and no request is lost", () => {
  const routes = (from: number) =>
    Array.from({ length: 100 }, (_, route) => `/${from + route}/${"x".repeat(80)}`);
  let totals: string | null = null;
  let last: Record<string, number | undefined> = {};
  for (let step = 1; step <= 8; step += 1) {
    // The isolates count on under the same ids; each step brings another.
    const texts = Array.from({ length: step }, (_, index) => isolate(routes(100 * index), step));
    const known = { totals, isolates: isolates(...texts), minute: NOW + step };
    const now = shown(allOf(known));
    for (const name of Object.keys(last)) expect(now[name], name).toBeGreaterThanOrEqual(last[name] ?? 0);
    const all = Object.values(now).reduce<number>((sum, each = 0) => sum + each, 0);
    expect(all).toBe(100 * step * step);
    totals = totalsText(known, () => false, false);
    last = now;
  }
  expect(last["other other"]).toBeGreaterThan(0);
});

it.each<[what: string, rest: object]>([
  ["a list of when each was counted", { s: [1, 2] }],
  ["a number", { s: 5 }],
  ["nothing", { s: null }],
  ["an object", { s: {} }],
  ["callers that are none", { c: 5 }],
  ["callers of another shape", { c: { a: 5, b: null, c: ["x"], d: [1] } }],
  ["a list of callers", { c: [1] }],
])("what another version has written beside the counts is passed over: %s", (_what, rest) => {
  const text = JSON.stringify({ ...JSON.parse(afterwards([NOW, ["/a"]])), ...rest });
  const latest = { ...isolate(["/b"]), text: `1;1 ${text}` };
  for (const known of [
    { totals: text, isolates: isolates(isolate(["/b"])), minute: NOW + 1 },
    { totals: afterwards([NOW, ["/b"]]), isolates: isolates(latest), minute: NOW + 1 },
  ]) {
    expect(shown(allOf(known))).toMatchObject({ "/a allowed": 1, "/b allowed": 1 });
    expect(
      shown(allOf({ ...known, totals: totalsText(known, everyone, true), isolates: new Map() })),
    ).toMatchObject({
      "/a allowed": 1,
      "/b allowed": 1,
    });
  }
});
