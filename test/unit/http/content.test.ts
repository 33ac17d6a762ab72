import { expect, it } from "vitest";
import { hasUnforwardableContent, isCoded } from "../../../src/http/content.ts";

it.each<[method: string, headers: Record<string, string>, has: boolean]>([
  ["GET", { "content-length": "5" }, true],
  ["HEAD", { "content-length": "1" }, true],
  ["GET", { "transfer-encoding": "chunked" }, true],
  ["HEAD", { "transfer-encoding": "gzip, chunked" }, true],
  ["GET", { "content-length": "0", "transfer-encoding": "chunked" }, true],
  ["GET", { "content-length": "10, 10" }, true],
  ["GET", {}, false],
  ["GET", { "content-length": "0" }, false],
  ["HEAD", { "content-length": "00" }, false],
  ["GET", { "content-length": "0, 0" }, false],
  ["GET", { "content-type": "application/json" }, false],
  ["GET", { upgrade: "websocket", "content-length": "0" }, false],
  ["POST", { "content-length": "5" }, false],
  ["DELETE", { "transfer-encoding": "chunked" }, false],
])("a %s with %j has content that cannot be forwarded: %s", (method, headers, has) => {
  expect(hasUnforwardableContent({ method, headers: new Headers(headers), body: null })).toBe(has);
});

it.each<[coding: string | null, coded: boolean]>([
  [null, false],
  ["", false],
  ["identity", false],
  [" Identity , identity", false],
  ["gzip", true],
  ["GZIP", true],
  ["br", true],
  ["zstd", true],
  ["x-own", true],
  ["identity, gzip", true],
  ["identityx", true],
])("content in %j has a coding: %s", (coding, coded) => {
  const headers = new Headers(coding === null ? {} : { "content-encoding": coding });
  expect(isCoded(headers)).toBe(coded);
});

it("content without a length is seen by the body that the runtime gives", () => {
  const { body } = new Response("x");
  const asked = (headers: Record<string, string>) =>
    hasUnforwardableContent({ method: "GET", headers: new Headers(headers), body });
  expect(asked({})).toBe(true);
  expect(asked({ "content-length": "0" }), "an empty body").toBe(false);
});
