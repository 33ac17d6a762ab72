import { describe, expect, it } from "vitest";
import { Counts, count, observe } from "../../../src/metrics/counts.ts";
import { families, requests, sessionChanges, verdicts } from "../../../src/metrics/families.ts";

const open = (bytes = 24_000) => new Counts(bytes, 100);
const shown = (counts: Counts) =>
  Object.fromEntries([...counts.of(verdicts)].map(([path, n]) => [path.join(" "), n]));

describe("counts", () => {
  it("are read back as they were written, and added up", () => {
    const one = open();
    count(one.at(verdicts, "/x", "allowed"), 0, 3);
    const other = open();
    expect([other.add(one.text), other.add(one.text)]).toEqual([true, true]);
    expect(shown(other)).toEqual({ "/x allowed": [6] });
  });

  it("what is taken off and is not there, or was more, has begun anew since", () => {
    const before = open();
    for (const label of ["ended", "anew", "on"]) count(before.at(verdicts, "/x", label), 0, 5);
    observe(before.at(requests, "/x", "GET", "200"), requests, 700);
    const counts = open();
    count(counts.at(verdicts, "/x", "anew"), 0, 2);
    count(counts.at(verdicts, "/x", "on"), 0, 6);
    observe(counts.at(requests, "/x", "GET", "200"), requests, 3);
    expect(counts.takeOff(before.text)).toBe(true);
    expect(shown(counts)).toEqual({ "/x anew": [2], "/x on": [1] });
    expect([...counts.of(requests)].map(([, numbers]) => numbers[0])).toEqual([1]);
    expect(counts.takeOff("none")).toBe(false);
  });

  it.each(["__proto__", "constructor", 'a"b\\c', "é🙂", "1", "", "a,b", "a\nb", "other"])(
    "a label may be %j",
    (label) => {
      const one = open();
      count(one.at(verdicts, label, label));
      const other = open();
      other.add(one.text);
      expect([...other.of(verdicts)]).toEqual([[[label, label], [1]]]);
    },
  );

  it("taking off what was written leaves what came since, and writes no zeros", () => {
    const counts = open();
    count(counts.at(verdicts, "/x", "allowed"), 0, 3);
    count(counts.at(verdicts, "/y", "allowed"));
    const before = counts.text;
    count(counts.at(verdicts, "/x", "allowed"));
    counts.takeOff(before);
    expect(JSON.parse(counts.text)).toMatchObject({ f: { ver: { "/x": { allowed: "1" } } } });
    expect(counts.text).not.toContain("/y");
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    "1",
    '{"f":1}',
    '{"f":{"ver":{"/x":[1]}}}',
    '{"g":{}}',
    '"text"',
    '{"f":{"ver":null}}',
  ])("what is none of their texts changes nothing: %s", (text) => {
    const counts = open();
    count(counts.at(verdicts, "/x", "allowed"));
    expect(counts.add(text)).toBe(false);
    expect(shown(counts)).toEqual({ "/x allowed": [1] });
  });

  it("numbers that are none count for nothing, and families of a later version are kept", () => {
    const counts = open();
    counts.add('{"f":{"ver":{"/x":{"allowed":"nonsense"}},"new":{"a":{"b":"1,,2"}}}}');
    counts.add('{"f":{"new":{"a":{"b":",5,1"}}}}');
    expect(JSON.parse(counts.text).f).toEqual({ new: { a: { b: "1,5,3" } } });
  });

  it("are bounded, whatever is counted: the rest is `other`, and nothing is lost", () => {
    const counts = open(2000);
    const sent = 5000;
    for (let index = 0; index < sent; index += 1) {
      count(counts.at(verdicts, `/route-${index}`, "x".repeat(index % 60)));
      count(counts.at(sessionChanges, `change-${index}`));
    }
    expect(counts.text.length).toBeLessThan(2400);
    for (const family of [verdicts, sessionChanges]) {
      const all = [...counts.of(family)];
      expect(all.reduce((sum, [, [n = 0]]) => sum + n, 0)).toBe(sent);
    }
    expect(shown(counts)["other other"]).toBeDefined();
  });

  it.each<[what: string, written: string]>([
    ["fewer labels", '{"ver":{"/x":"7"}}'],
    ["no label", '{"ver":"7"}'],
    ["more labels", '{"ver":{"/x":{"allowed":{"more":"7"}}}}'],
    ["a negative number", '{"ver":{"/x":{"allowed":"-7"}}}'],
    ["a number without end", '{"ver":{"/x":{"allowed":"1e400"}}}'],
    ["Infinity", '{"ver":{"/x":{"allowed":"Infinity"}}}'],
    ["a part of one", '{"ver":{"/x":{"allowed":"0.5"}}}'],
    ["a number that is not exact", '{"ver":{"/x":{"allowed":"9007199254740993"}}}'],
    ["NaN", '{"ver":{"/x":{"allowed":"NaN"}}}'],
  ])("what no edge has written is not added: %s", (_what, written) => {
    const counts = open();
    counts.add(`{"f":${written}}`);
    count(counts.at(verdicts, "/x", "allowed"));
    expect([...counts.of(verdicts)]).toEqual([[["/x", "allowed"], [1]]]);
  });

  it("a family of a later version with labels of two numbers goes on with those that came first", () => {
    const counts = open();
    for (const written of [
      '{"new":{"a":"1"}}',
      '{"new":{"a":{"b":"5"}}}',
      '{"new":{"a":"2"}}',
      '{"new":"9"}',
    ])
      counts.add(`{"f":${written}}`);
    expect(JSON.parse(counts.text).f).toEqual({ new: { a: "3" } });
  });

  it("one number of a text has an end", () => {
    const counts = open();
    counts.add(`{"f":{"ver":{"/x":{"allowed":"${"1,".repeat(100_000)}"}}}}`);
    expect(counts.text.length).toBeLessThan(300);
  });

  it("whatever fills one family, each other one has room", () => {
    const counts = open();
    for (let index = 0; index < 5000; index += 1)
      count(counts.at(requests, `/route-${index % 20}`, "GET", String(index)));
    counts.add(`{"f":{"new":{${Array.from({ length: 5000 }, (_, index) => `"${index}":"1"`).join()}}}}`);
    for (const family of families.filter((each) => each !== requests)) {
      for (const label of ["/cached", "/limited", "/x"]) count(counts.at(family, label, "few", "redis"));
      expect([...counts.of(family)].map(([[label]]) => label)).toEqual(["/cached", "/limited", "/x"]);
    }
    expect(counts.text.length).toBeLessThan(24_000);
  });

  it("labels that were made room for keep it, though nothing has been counted", () => {
    const live = open();
    count(live.at(verdicts, "/live", "allowed"), 0, 5);
    const totals = open(2000);
    totals.addWritten(JSON.parse(live.text), 0);
    for (let index = 0; index < 100; index += 1) count(totals.at(verdicts, `/gone-${index}`, "allowed"));
    const later = open(2000);
    later.addWritten(totals.writtenWithZeros);
    later.add(live.text);
    expect(shown(later)["/live allowed"]).toEqual([5]);
    expect(totals.text).not.toContain("/live");
  });

  it.each([
    [0, 0],
    [5, 0],
    [5.4, 0],
    [6, 1],
    [10_000, 13],
    [10_001, 14],
    [1e9, 14],
    [-5, 0],
    [Number.NaN, 0],
  ])("%d ms are in bucket %d", (ms, bucket) => {
    const numbers: number[] = [];
    observe(numbers, requests, ms);
    expect(numbers.slice(0, 15).indexOf(1)).toBe(bucket);
    expect(numbers[15]).toBe(Math.max(0, Math.round(ms)) || 0);
  });
});
