import { expect, it } from "vitest";
import { edgeAddress } from "../../../../src/tools/verify/address.ts";

it.each([
  ["https://edge.example.com", "https://edge.example.com"],
  ["https://edge.example.com/", "https://edge.example.com"],
  ["edge.example.com", "https://edge.example.com"],
  ["EDGE.Example.com/", "https://edge.example.com"],
  [" edge.example.com\n", "https://edge.example.com"],
  ["//edge.example.com", "https://edge.example.com"],
  ["edge.example.com:8443", "https://edge.example.com:8443"],
  ["edge.example.com/base/", "https://edge.example.com/base"],
  ["https://edge.example.com/?utm=1#top", "https://edge.example.com"],
  ["HTTPS://edge.example.com", "https://edge.example.com"],
  ["http://edge.example.com", "http://edge.example.com"],
  ["bücher.example", "https://xn--bcher-kva.example"],
  ["localhost:8787", "http://localhost:8787"],
  ["localhost", "http://localhost"],
  ["app.localhost:8787/", "http://app.localhost:8787"],
  ["127.0.0.1:8787", "http://127.0.0.1:8787"],
  ["[::1]:8787", "http://[::1]:8787"],
  ["https://localhost:8787", "https://localhost:8787"],
  ["localhost.example.com", "https://localhost.example.com"],
  ["203.0.113.7", "https://203.0.113.7"],
  ["[2001:db8::1]", "https://[2001:db8::1]"],
])("%j is %s", (text, url) => {
  expect(edgeAddress(text)).toBe(url);
});

it.each([
  ["", "no address"],
  ["   ", "no address"],
  ["deploy", "no address"],
  ["https://", "no address"],
  ["http:///x", "no address"],
  ["two words.example", "no address"],
  ["ftp://edge.example.com", "not ftp"],
  ["redis://edge.example.com", "not redis"],
  ["https://user:hunter2@edge.example.com", "no user or password"],
  ["user:hunter2@edge.example.com", "no user or password"],
])("%j is refused", (text, message) => {
  expect(() => edgeAddress(text)).toThrow(message);
  expect(() => edgeAddress(text)).not.toThrow("hunter2");
});
