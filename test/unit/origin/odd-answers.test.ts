import { describe, expect, it } from "vitest";
import { ambiguityOf } from "../../../src/http/path.ts";
import { forward } from "../../../src/origin/forward.ts";
import { cleanResponse } from "../../../src/origin/response-headers.ts";
import { testPlatform } from "../../support/platform.ts";

const addresses = {
  originUrl: new URL("https://api.example.com/v1/x"),
  edgeUrl: new URL("https://edge.example/v1/x"),
  basePath: "",
};

/** What the runtime's fetch may return: a status that no Response with a body could be made with. */
function answer(status: number, body: string | null): Response {
  return Object.defineProperty(new Response(body), "status", { value: status });
}

describe("an answer that must have no content, and has some", () => {
  it.each([204, 205, 304])("%i reaches the client without it", async (status) => {
    const { response } = cleanResponse(answer(status, "left behind"), addresses);
    expect(response.status).toBe(status);
    expect(await response.text(), "the content is dropped, the answer is not").toBe("");
  });
});

describe("a switch of protocols", () => {
  const asked = (headers: Record<string, string>) =>
    forward({
      url: addresses.originUrl,
      method: "GET",
      headers: new Headers(headers),
      body: null,
      fetch: () => Promise.resolve(answer(101, null)),
      platform: testPlatform(),
      deadlineMs: 30_000,
      via: "envoyou-edge-1",
    });

  it("that nobody asked for is no answer (RFC 9110 §15.2.2)", async () => {
    expect(await asked({})).toMatchObject({ kind: "failed", status: 502 });
  });
  it("that was asked for is one", async () => {
    expect(await asked({ upgrade: "websocket" })).toMatchObject({ kind: "response" });
  });
});

it.each(["/a/.%20/b", "/a/..%20", "/a/%2e%20%20/b"])("%s is a dot segment where Windows reads it", (path) => {
  expect(ambiguityOf(path, false), "refused").not.toBeNull();
  expect(ambiguityOf(path, true), "on a raw path too").not.toBeNull();
});
