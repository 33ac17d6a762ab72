import { describe, expect, test } from "vitest";
import { addTags, tagsOf } from "../../../src/response-cache/tags.ts";

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `item:${n}`);

describe("the tags of a response", () => {
  test.each<[Record<string, string>, string[], string[]]>([
    [{}, [], []],
    [{ "cache-tag": " A, b ,,B" }, [], ["a", "b"]],
    [{ "surrogate-key": "one two  three" }, [], ["one", "two", "three"]],
    [{ "cache-tag": "a", "surrogate-key": "b a" }, ["Own"], ["own", "a", "b"]],
    [{ "cache-tag": numbered(1000).join() }, [], numbered(1000)],
    [{ "surrogate-key": numbered(1000).join(" ") }, ["own"], ["own", ...numbered(1000)]],
    [{ "cache-tag": "x".repeat(2000) }, [], ["x".repeat(2000)]],
  ])("%j and the route's %j are %j", (fields, own, tags) => {
    expect(tagsOf(new Headers(fields), own)).toEqual(tags);
  });

  test("that are too many to keep are none: without one of them a purge would not reach the answer", () => {
    expect(tagsOf(new Headers({ "cache-tag": numbered(3000).join() }), [])).toBeNull();
    expect(tagsOf(new Headers({ "cache-tag": `a,${"x".repeat(16 * 1024)}` }), [])).toBeNull();
  });

  test.each([
    { stored: [], own: ["Own"], tags: ["own"] },
    { stored: ["own", "a"], own: ["OWN", "b", "B"], tags: ["own", "a", "b"] },
    { stored: ["a"], own: [], tags: ["a"] },
  ])("$stored of a stored one, with the route's $own, are $tags", ({ stored, own, tags }) => {
    const entry = { tags: [...stored] };
    addTags(entry, own);
    expect(entry.tags).toEqual(tags);
  });
});
