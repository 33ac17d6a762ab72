import { describe, expect, it } from "vitest";
import { answerBody } from "../../../src/origin/response-body.ts";
import type { OriginFailure } from "../../../src/request/origin-reply.ts";
import { waitsOf } from "../../../src/runtime/waits.ts";
import { type TestPlatform, testPlatform } from "../../support/platform.ts";
import { readAll, type ScriptedBody, scriptedBody, settle } from "../../support/streams.ts";

function answer(
  headers: Record<string, string> = {},
  { method = "GET", status = 200, asBytes = false } = {},
) {
  const platform = testPlatform();
  const content = scriptedBody();
  const response = new Response(content.body, { status, headers });
  let abandoned = false;
  const abandon = () => {
    abandoned = true;
  };
  const waits = waitsOf(platform);
  // The wait for the answer, which is here.
  waits.next(30_000, () => expect.unreachable("the wait for the answer is over"));
  const given = answerBody(
    { kind: "response", response, waits, abandon },
    { method, asBytes, deadlineMs: 1500, platform },
  );
  const raw = given.then((each) => (each.kind === "body" ? each.body : failed(each)));
  // A failure is looked at in `given`.
  raw.catch(() => {});
  const from = <Value>(read: (body: Awaited<typeof raw>) => Value) => {
    const value = raw.then(read);
    value.catch(() => {});
    return value;
  };
  return {
    platform,
    content,
    given,
    /** As a response of it has it. */
    body: from((each) => new Response(each).body),
    untouched: from((each) => each === response.body),
    isHere: from((each) => each instanceof Uint8Array),
    abandoned: () => abandoned,
  };
}

function failed({ code }: OriginFailure): never {
  throw new Error(code);
}

describe("the body of an answer", () => {
  it.each<Record<string, string>>([
    {},
    { "content-length": "65537" },
    { "content-type": "application/x-ndjson" },
    { "content-encoding": "gzip" },
    { "content-encoding": "br", "content-length": "65537" },
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
    const { platform, content, body } = answer();
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
  ])("%s", async (_what, headers, options) => {
    expect(await answer(headers, options).untouched).toBe(true);
  });

  it.each<[headers: Record<string, string>, options: Parameters<typeof answer>[1]]>([
    [{ "content-encoding": "gzip" }, {}],
    [{ "content-encoding": "BR" }, {}],
    [{ "content-encoding": "gzip" }, { asBytes: true }],
    [{ "content-encoding": "zstd" }, {}],
    [{ "content-length": "65537" }, { asBytes: true }],
    [{}, { asBytes: true }],
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
    ["of no bytes", { "content-length": "0" }, [], false],
    ["without a length", {}, ["abcd"], false],
    ["beyond the bound", { "content-length": "65537" }, ["x".repeat(65_537)], false],
  ])("%s", async (_what, headers, pieces, isHere) => {
    const given = answer(headers);
    for (const piece of pieces) given.content.send(piece);
    given.content.end();
    expect(await given.isHere).toBe(isHere);
    expect(await given.body.then(readAll)).toEqual({ text: pieces.join(""), whole: true });
  });

  it.each<[what: string, before: string, waitMs: number]>([
    ["nothing of it comes in a tenth of a second", "", 100],
    ["only a part has come", "ab", 0],
  ])("is no reason to wait with the answer where %s", async (_what, before, waitMs) => {
    const { content, platform, given, isHere, body } = answer({ "content-length": "4" });
    if (before !== "") content.send(before);
    await settle();
    platform.advance(waitMs);
    expect(await given).toMatchObject({ kind: "body" });
    expect(await isHere).toBe(false);
    const reading = body.then(readAll);
    for (let rest = "abcd".slice(before.length); rest !== ""; rest = rest.slice(1)) {
      await settle();
      platform.advance(59_999);
      content.send(rest[0] ?? "");
    }
    content.end();
    expect(await reading).toEqual({ text: "abcd", whole: true });
    expect(platform.timersSet()).toBe(0);
  });

  it.each(["", "ab"])("of which %j has come breaks off after 60 s of silence", async (before) => {
    const { content, platform, body } = answer({ "content-length": "4" });
    if (before !== "") content.send(before);
    await settle();
    platform.advance(100);
    const reading = body.then(readAll);
    await settle();
    platform.advance(60_000);
    expect(await reading).toEqual({ text: before, whole: false });
    expect(content.cancelled).toBe(true);
  });

  it.each([
    [4, 1500],
    [750, 1500],
    [751, 1502],
    [20_000, 40_000],
    [65_536, 60_000],
  ])("of %i bytes that is to be stored may take %i ms in all", async (length, ms) => {
    const given = answer({ "content-length": String(length) }, { asBytes: true });
    await settle();
    given.platform.advance(ms - 1);
    given.content.send("x".repeat(length));
    given.content.end();
    const found = await given.given;
    expect(found.kind === "body" && found.bytes?.length).toBe(length);
    expect(found.kind === "body" && found.body, "it is there once").toBe(
      found.kind === "body" && found.bytes,
    );
    const late = answer({ "content-length": String(length) }, { asBytes: true });
    await settle();
    late.platform.advance(ms);
    expect(await late.given).toEqual({ kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" });
    expect(late.abandoned()).toBe(true);
  });

  it.each([
    ["breaks off", (content: ScriptedBody) => content.breakOff()],
    ["ends", (content: ScriptedBody) => content.end()],
  ])("that %s before its first byte is a failure of the origin", async (_what, happens) => {
    const { content, platform, given, abandoned } = answer({ "content-length": "4" });
    await settle();
    happens(content);
    expect(await given).toEqual({ kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" });
    expect(abandoned()).toBe(true);
    expect(platform.timersSet()).toBe(0);
  });

  it.each(["gzip", "br"])("in %s is read to its end too where it is to be stored", async (coding) => {
    const headers = { "content-length": "4", "content-encoding": coding };
    for (const text of ["abcd", "what another runtime has decoded"]) {
      const given = answer(headers, { asBytes: true });
      given.content.send(text);
      given.content.end();
      expect(await given.isHere).toBe(true);
      expect((await readAll(await given.body)).text).toBe(text);
    }
  });

  it.each<[what: string, happens: (content: ScriptedBody, platform: TestPlatform) => void, failure: object]>([
    ["breaks off", (content) => content.breakOff(), { status: 502, code: "ORIGIN_UNREACHABLE" }],
    ["ends before its length", (content) => content.end(), { status: 502, code: "ORIGIN_UNREACHABLE" }],
    ["is silent", (_, platform) => platform.advance(1500), { status: 504, code: "ORIGIN_TIMEOUT" }],
  ])(
    "to be stored that %s is a failure of the origin, of which nothing was answered",
    async (_what, happens, failure) => {
      for (const sent of ["", "ab"]) {
        const { content, platform, given, abandoned } = answer({ "content-length": "4" }, { asBytes: true });
        await settle();
        if (sent !== "") content.send(sent);
        await settle();
        expect(abandoned()).toBe(false);
        happens(content, platform);
        expect(await given).toEqual({ kind: "failed", ...failure });
        expect(abandoned(), "the origin's connection ends").toBe(true);
        expect(platform.timersSet()).toBe(0);
      }
    },
  );
});
