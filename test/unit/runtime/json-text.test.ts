import { describe, expect, it } from "vitest";
import {
  JsonText,
  jsonOf,
  memberText,
  readMembers,
  stringify,
  withMembers,
} from "../../../src/runtime/json-text.ts";

describe("a member of a JSON text", () => {
  it.each([
    ['{"a":1}', "1"],
    ['{ "a" : 1.0 }', "1.0"],
    ['{"\\u0061":12345678901234567890}', "12345678901234567890"],
    ['{"a":1,"a":2}', "2"],
    ['{"b":{"a":1},"a":[{"a":2}]}', '[{"a":2}]'],
    ['{"b":"\\"a\\":3","a":"}"}', '"}"'],
    ['\ufeff\n{"a":null}\n', "null"],
    ['{"a":NaN,"b":1}', "NaN"],
    ['{"b":1}', undefined],
    ["{}", undefined],
  ])("of %j is %j", (json, text) => {
    expect(memberText(json, "a")).toBe(text);
  });

  it.each([
    ['{"a":1}', '{"a":9}'],
    ['{ "a" : 1.0 , "b":1.0}', '{ "a" : 9 , "b":1.0}'],
    ['{"\\u0061":[1,2]}', '{"\\u0061":9}'],
    ['{"a":1,"a":2}', '{"a":1,"a":9}'],
    ['{"b":{"a":1}}', '{"b":{"a":1},"a":9}'],
    ['{\n  "b": 1\n}\n', '{\n  "b": 1,"a":9\n}\n'],
    ["{}", '{"a":9}'],
    ["\ufeff { } ", '\ufeff {"a":9 } '],
  ])("of %j is replaced or added: %j", (json, text) => {
    expect(withMembers(json, { a: "9" })).toBe(text);
  });

  it("is replaced as text: what looks like a pattern is none", () => {
    expect(withMembers('{"a":1}', { a: '"$&$1"' })).toBe('{"a":"$&$1"}');
  });

  it.each([
    "",
    "null",
    "[]",
    '"{}"',
    "{",
    "{]",
    '{"a"}',
    '{"a":}',
    '{"a":1',
    '{"a":1,}',
    '{"a":1}x',
    '{"a":1 2}',
    "{a:1}",
  ])("is not looked for in %j", (json) => {
    expect(readMembers(json)).toBeNull();
    expect(memberText(json, "a")).toBeUndefined();
    expect(() => withMembers(json, { a: "9" })).toThrow(SyntaxError);
  });

  it("is read as JSON.parse reads it, a name __proto__ and deep lists included", () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    const json = `{"__proto__":{"x":1},"2":"b","1":[1,{"c":"\\\\"}],"s":"${"\\n".repeat(9000)}","deep":${deep}}`;
    const read = readMembers(json);
    expect(Object.keys(read ?? {})).toEqual(Object.keys(JSON.parse(json)));
    expect(JSON.stringify(read)).toBe(JSON.stringify(JSON.parse(json)));
  });
});

it("is written as it is, in an answer of values", () => {
  const raw = new JsonText('{"n": 12345678901234567890, "f":1.0}');
  const date = new Date(0);
  expect(stringify({ a: [raw, null, "x"], b: { c: raw }, d: undefined, e: true, date })).toBe(
    `{"a":[${raw.text},null,"x"],"b":{"c":${raw.text}},"e":true,"date":"1970-01-01T00:00:00.000Z"}`,
  );
  expect(JSON.parse(JSON.stringify({ raw }))).toEqual({ raw: JSON.parse(raw.text) });
});

/** Whoever made it had it whole, and whoever reads what was kept gets `{}`: what caches of other frameworks do. */
describe("what JSON keeps nothing of is refused, and not kept as {}", () => {
  it.each<[what: string, value: unknown]>([
    ["a Map", new Map([["a", 1]])],
    ["a Set", new Set([1])],
    ["a Response", new Response("{}")],
    ["Headers", new Headers({ a: "b" })],
    ["an Error", new Error("failed")],
    ["a RegExp", /a/],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["a promise", Promise.resolve(1)],
    ["a Map in an object", { rates: new Map() }],
    ["a promise in a list", [Promise.resolve(1)]],
    ["nothing", undefined],
    ["a function", () => 1],
    ["a BigInt", { sum: 1n }],
  ])("%s", (_, value) => {
    expect(() => jsonOf(value)).toThrow(TypeError);
  });

  it.each<[what: string, value: unknown, json: string]>([
    ["a date", new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ["what says its own JSON", new URL("https://a.example/"), '"https://a.example/"'],
    ["an instance with fields", Object.assign(new Error(), { status: 5 }), '{"status":5}'],
    ["an object without a prototype", Object.create(null), "{}"],
    ["an empty object", { a: {} }, '{"a":{}}'],
    ["an empty list", [[]], "[[]]"],
    ["null", null, "null"],
    ["bytes", new Uint8Array([7]), '{"0":7}'],
  ])("not %s", (_, value, json) => {
    expect(jsonOf(value)).toBe(json);
  });
});
