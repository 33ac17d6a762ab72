import { expect, it } from "vitest";
import { queryOf, queryPairs } from "../../../src/http/query.ts";

it.each<[string, string | null]>([
  ["/x", null],
  ["/x?", ""],
  ["/x?#f", ""],
  ["/x#?a=1", null],
  ["/x?a=1#?b", "a=1"],
  ["/x??a=1", "?a=1"],
  ["/x?&&", "&&"],
])("the query of %s is %j", (path, query) => {
  expect(queryOf(new URL(path, "https://e.example"))).toBe(query);
});

it.each<[string, string[][]]>([
  ["a=1&b", [["a"], ["b"]]],
  ["%61pi%5fkey=1", [["api_key"]]],
  ["a+b=1&a%20b=1", [["a b"], ["a b"]]],
  ["a%5B%5D=1&a[]=2", [["a[]"], ["a[]"]]],
  ["=1&=", [[""], [""]]],
  ["", [[""]]],
  ["a&&b", [["a"], [""], ["b"]]],
  ["?a=1", [["?a"]]],
  ["a=1;b=2", [["a", "b"]]],
  ["a;b=2", [["a;b", "a", "b"]]],
  ["a=%3Bb=2", [["a"]]],
  ["%zz=1&%ff=1", [["%zz"], ["\ufffd"]]],
  ["a=b=c", [["a"]]],
])("the names in %j are %j", (query, names) => {
  expect(queryPairs(query).map((pair) => pair.names)).toEqual(names);
  const first = queryPairs(query).map(({ name }) => name);
  const asTheUrlHasThem = [...new URL(`https://e.example/?${query}`).searchParams.keys()];
  expect(first.filter((name, at) => name !== "" || query.split("&")[at] !== "")).toEqual(asTheUrlHasThem);
});
