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
  const watched = watchedBody(response, { method, holdsShortBodies, platform });
  /** As a response of it has it. */
  const body = watched.then((each) => new Response(each).body);
  const untouched = watched.then((each) => each === response.body);
  return { platform, content, body, untouched, isHere: watched.then((each) => each instanceof Uint8Array) };
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
    const reading = body.then(readAll);
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
    const reading = body.then(readAll);
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
    expect(await readAll(await body)).toEqual({ text: "a", whole: true });
  });

  it("that the origin breaks off is broken off for the client", async () => {
    const { content, body } = answer();
    const reading = body.then(readAll);
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
    const reader = (await body)?.getReader();
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
  ])("%s", async (_what, headers, options) => {
    expect(await answer(headers, options).untouched).toBe(true);
  });

  it.each<[headers: Record<string, string>, options: Parameters<typeof answer>[1]]>([
    [{ "content-encoding": "gzip" }, {}],
    [{ "content-encoding": "BR" }, {}],
    [{ "content-encoding": "gzip" }, { holdsShortBodies: true }],
    [{ "content-encoding": "zstd" }, {}],
    [{ "content-length": "65537" }, { holdsShortBodies: true }],
    [{}, { holdsShortBodies: true }],
  ])("not: %j, %j", async (headers, options) => {
    expect(await answer(headers, options).untouched).toBe(false);
  });
});

describe("a short body", () => {
  it.each<[what: string, headers: Record<string, string>, pieces: string[], isHere: boolean]>([
    ["that comes in one piece", { "content-length": "4" }, ["abcd"], true],
    ["at the bound", { "content-length": "65536" }, ["x".repeat(65_536)], true],
    ["in several pieces", { "content-length": "4" }, ["ab", "cd"], false],
    [
      "in a coding, which another runtime decodes",
      { "content-length": "4", "content-encoding": "br" },
      ["abcd"],
      false,
    ],
    ["without a length", {}, ["abcd"], false],
    ["beyond the bound", { "content-length": "65537" }, ["x".repeat(65_537)], false],
  ])("%s", async (_what, headers, pieces, isHere) => {
    const given = answer(headers);
    const [first = "", ...others] = pieces;
    given.content.send(first);
    expect(await given.isHere).toBe(isHere);
    const reading = given.body.then(readAll);
    for (const piece of others) given.content.send(piece);
    given.content.end();
    expect(await reading).toEqual({ text: pieces.join(""), whole: true });
  });

  it.each<[what: string, happens: (content: ScriptedBody, platform: TestPlatform) => void]>([
    ["breaks off", (content) => content.breakOff()],
    ["ends before its length", (content) => content.end()],
    ["is silent for 60 s", (_, platform) => platform.advance(60_000)],
  ])("that %s before its first byte is no empty one", async (_what, happens) => {
    const { content, platform, body } = answer({ "content-length": "4" });
    await settle();
    happens(content, platform);
    expect(await readAll(await body)).toEqual({ text: "", whole: false });
  });

  it("that is silent ends at the origin", async () => {
    const { content, platform, body } = answer({ "content-length": "4" });
    await settle();
    platform.advance(59_999);
    await settle();
    expect(content.cancelled).toBe(false);
    platform.advance(1);
    await body;
    expect(content.cancelled).toBe(true);
  });
});
