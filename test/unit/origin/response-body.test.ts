import { describe, expect, it } from "vitest";
import { watchedBody } from "../../../src/origin/response-body.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";
import { readAll, type ScriptedBody, scriptedBody, settle } from "../../support/streams.ts";

function answer(
  headers: Record<string, string> = {},
  { method = "GET", status = 200, holdsShortBodies = false } = {},
) {
  const platform = testPlatform();
  const content = scriptedBody();
  const response = new Response(content.body, { status, headers });
  const body = watchedBody(response, { method, holdsShortBodies, platform });
  return { platform, content, body, untouched: body === response.body };
}

describe("the body of an answer", () => {
  it.each<Record<string, string>>([
    {},
    { "content-length": "4" },
    { "content-type": "application/x-ndjson" },
    { "content-encoding": "gzip" },
    { "content-encoding": "br", "content-length": "9" },
    { "content-type": "text/plain; note=text/event-stream" },
  ])("with %j breaks off after 60 s of silence", async (headers) => {
    const { platform, content, body } = answer(headers);
    const reading = readAll(body);
    content.send("a");
    await settle();
    platform.advance(59_999);
    content.send("b");
    await settle();
    platform.advance(60_000);
    expect(await reading).toEqual({ text: "ab", whole: false });
    expect(content.cancelled, "the origin's connection ends").toBe(true);
  });

  it("may take its time", async () => {
    const { platform, content, body } = answer({ "content-length": "20" });
    const reading = readAll(body);
    for (let piece = 0; piece < 20; piece += 1) {
      content.send("x");
      await settle();
      platform.advance(59_000);
    }
    content.end();
    expect(await reading).toEqual({ text: "x".repeat(20), whole: true });
  });

  it("waits for a client that reads slowly", async () => {
    const { platform, content, body } = answer();
    content.send("a");
    await settle();
    platform.advance(300_000);
    await settle();
    content.end();
    expect(await readAll(body)).toEqual({ text: "a", whole: true });
  });

  it("that the origin breaks off is broken off for the client", async () => {
    const { content, body } = answer();
    const reading = readAll(body);
    content.send("half");
    await settle();
    content.breakOff();
    expect(await reading).toEqual({ text: "half", whole: false });
  });

  it.each([
    ["with the next piece", (content: ScriptedBody) => content.send("b")],
    ["or after 60 s", (_: ScriptedBody, platform: TestPlatform) => platform.advance(60_000)],
  ])("ends at the origin when the client goes: %s", async (_when, happens) => {
    const { platform, content, body } = answer();
    content.send("a");
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await settle();
    happens(content, platform);
    await settle();
    expect(content.cancelled).toBe(true);
  });
});

describe("left alone is", () => {
  it.each<[what: string, headers: Record<string, string>, options: Parameters<typeof answer>[1]]>([
    ["a stream of events", { "content-type": "text/event-stream" }, {}],
    ["one with a charset", { "content-type": "Text/Event-Stream; charset=utf-8" }, {}],
    ["the answer to a HEAD", { "content-length": "9" }, { method: "HEAD" }],
    ["a short one that the cache reads itself", { "content-length": "65536" }, { holdsShortBodies: true }],
    [
      "a short one in gzip",
      { "content-length": "9", "content-encoding": "gzip" },
      { holdsShortBodies: true },
    ],
  ])("%s", (_what, headers, options) => {
    expect(answer(headers, options).untouched).toBe(true);
  });

  it.each<[headers: Record<string, string>, options: Parameters<typeof answer>[1]]>([
    [{ "content-encoding": "gzip" }, {}],
    [{ "content-encoding": "BR" }, {}],
    [{ "content-encoding": "gzip" }, { holdsShortBodies: true }],
    [{ "content-encoding": "zstd" }, {}],
    [{ "content-length": "65537" }, { holdsShortBodies: true }],
    [{}, { holdsShortBodies: true }],
  ])("not: %j, %j", (headers, options) => {
    expect(answer(headers, options).untouched).toBe(false);
  });
});
