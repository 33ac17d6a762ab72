import { describe, expect, it } from "vitest";
import { forward } from "../../../src/origin/forward.ts";
import { testPlatform } from "../../support/platform.ts";
import { readAll, scriptedBody, settle } from "../../support/streams.ts";

const DEADLINE_MS = 1000;

/** What an origin does with a request: how much of its content it reads, and when it answers. */
type Origin = (body: ReadableStream<Uint8Array> | null) => Promise<Response>;

const readsAll: Origin = async (body) => new Response((await readAll(body)).text);
const readsNothing: Origin = () => new Promise<Response>(() => {});
const readsAllAndIsSilent: Origin = async (body) => {
  await readAll(body);
  return new Promise<Response>(() => {});
};

function upload(origin: Origin, { method = "POST", headers = {} as Record<string, string> } = {}) {
  const platform = testPlatform();
  const content = scriptedBody();
  let aborted = false;
  const reply = forward({
    url: new URL("https://api.example.com/up"),
    method,
    headers: new Headers(headers),
    body: content.body,
    fetch: (_url, init) => {
      init?.signal?.addEventListener("abort", () => {
        aborted = true;
      });
      return origin((init?.body as ReadableStream<Uint8Array> | null) ?? null);
    },
    platform,
    deadlineMs: DEADLINE_MS,
    via: "edge",
    abort: new AbortController(),
  });
  return { platform, content, reply, aborted: () => aborted };
}

/** The client sends a piece every `pause` ms. */
async function trickle({ platform, content }: ReturnType<typeof upload>, pieces: number, pause: number) {
  for (let piece = 0; piece < pieces; piece += 1) {
    content.send("x");
    await settle();
    platform.advance(pause);
    await settle();
  }
}

describe("the deadline of an upload", () => {
  it.each([
    ["POST", {}, 6, 500],
    ["PUT", { "content-length": "6" }, 6, 500],
    ["PATCH", {}, 3, 59_999],
    ["DELETE", {}, 2, 20_000],
    ["QUERY", { "content-length": "2" }, 2, 59_000],
    ["POST", { "content-length": "2, 2" }, 2, 2000],
  ])("of a %s with %j begins when its content has been sent", async (method, headers, pieces, pause) => {
    const sent = upload(readsAll, { method, headers });
    await trickle(sent, pieces, pause);
    sent.content.end();
    const reply = await sent.reply;
    expect(reply).toMatchObject({ kind: "response" });
    if (reply.kind === "response") expect(await reply.response.text()).toBe("x".repeat(pieces));
  });

  it("is over when an origin has the content and says nothing", async () => {
    const sent = upload(readsAllAndIsSilent);
    await trickle(sent, 3, DEADLINE_MS);
    sent.content.end();
    await settle();
    sent.platform.advance(DEADLINE_MS - 1);
    await settle();
    expect(sent.aborted()).toBe(false);
    sent.platform.advance(1);
    expect(await sent.reply).toEqual({ kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" });
    expect(sent.aborted()).toBe(true);
  });

  it("does not wait for the rest where the origin answers early", async () => {
    const sent = upload(async () => new Response("too much", { status: 413 }));
    sent.content.send("x");
    expect(await sent.reply).toMatchObject({ kind: "response", response: { status: 413 } });
    sent.platform.advance(600_000);
    await settle();
    expect(sent.aborted(), "the answer may go on").toBe(false);
  });
});

describe("content that stands still for 60 s", () => {
  it("of a client that sends no more is 408", async () => {
    const sent = upload(readsAll);
    await trickle(sent, 2, 59_999);
    sent.platform.advance(1);
    expect(await sent.reply).toEqual({ kind: "failed", status: 408, code: "CONTENT_STALLED" });
    expect(sent.aborted()).toBe(true);
    expect(sent.content.cancelled).toBe(true);
  });

  it("of an origin that reads no more is 504", async () => {
    const sent = upload(readsNothing);
    sent.content.send("x");
    await settle();
    sent.platform.advance(59_999);
    await settle();
    expect(sent.aborted()).toBe(false);
    sent.platform.advance(1);
    expect(await sent.reply).toEqual({ kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" });
  });

  it("counts anew with every piece", async () => {
    const sent = upload(readsAll);
    await trickle(sent, 30, 59_000);
    sent.content.end();
    expect(await sent.reply).toMatchObject({ kind: "response" });
  });
});

describe("content that breaks off", () => {
  it("at the client is the client's fault", async () => {
    const sent = upload(readsAllAndIsSilent);
    sent.content.send("half");
    await settle();
    sent.content.breakOff();
    expect(await sent.reply).toEqual({ kind: "failed", status: 400, code: "CONTENT_BROKEN_OFF" });
  });

  it("because the origin closes: its answer still counts, within the deadline", async () => {
    const sent = upload(async (body) => {
      await body?.cancel();
      return new Promise<Response>(() => {});
    });
    sent.content.send("x");
    await settle();
    sent.platform.advance(DEADLINE_MS);
    expect(await sent.reply).toMatchObject({ status: 504, code: "ORIGIN_TIMEOUT" });
    expect(sent.content.cancelled).toBe(true);
  });

  it("because the origin cannot be reached ends the client's side too", async () => {
    const sent = upload(() => Promise.reject(new TypeError("refused")));
    expect(await sent.reply).toMatchObject({ status: 502, code: "ORIGIN_UNREACHABLE" });
    await settle();
    expect(sent.content.cancelled).toBe(true);
  });
});

describe("short content", () => {
  const seen =
    (sent: unknown[]): Origin =>
    async (body) => {
      sent.push(body);
      return new Response(body instanceof Uint8Array ? body : (await readAll(body)).text);
    };

  it.each<[length: string, pieces: string[], isHere: boolean]>([
    ["4", ["abcd"], true],
    ["1", ["a"], true],
    ["65536", ["x".repeat(65_536)], true],
    ["4", ["ab", "cd"], false],
    ["4", ["a", "b", "c", "d"], false],
    ["65537", ["x".repeat(65_537)], false],
    ["4, 4", ["abcd"], false],
  ])("of %s bytes in pieces is sent whole", async (length, pieces, isHere) => {
    const bodies: unknown[] = [];
    const sent = upload(seen(bodies), { headers: { "content-length": length } });
    for (const piece of pieces) {
      sent.content.send(piece);
      await settle();
    }
    sent.content.end();
    const reply = await sent.reply;
    expect(bodies.map((body) => body instanceof Uint8Array)).toEqual([isHere]);
    if (reply.kind !== "response") throw new Error(reply.code);
    expect(await reply.response.text()).toBe(pieces.join(""));
  });

  it("has the origin's deadline from when it is here", async () => {
    const sent = upload(() => new Promise<Response>(() => {}), { headers: { "content-length": "1" } });
    await settle();
    sent.platform.advance(50_000);
    sent.content.send("x");
    await settle();
    sent.platform.advance(DEADLINE_MS - 1);
    await settle();
    expect(sent.aborted()).toBe(false);
    sent.platform.advance(1);
    expect(await sent.reply).toMatchObject({ status: 504, code: "ORIGIN_TIMEOUT" });
  });

  it.each<[what: string, happens: (sent: ReturnType<typeof upload>) => void, reply: object]>([
    ["never comes", ({ platform }) => platform.advance(60_000), { status: 408, code: "CONTENT_STALLED" }],
    ["breaks off", ({ content }) => content.breakOff(), { status: 400, code: "CONTENT_BROKEN_OFF" }],
    ["ends early", ({ content }) => content.end(), { status: 400, code: "CONTENT_BROKEN_OFF" }],
  ])("that %s is not begun at the origin", async (_what, happens, reply) => {
    const bodies: unknown[] = [];
    const sent = upload(seen(bodies), { headers: { "content-length": "4" } });
    await settle();
    happens(sent);
    expect(await sent.reply).toEqual({ kind: "failed", ...reply });
    expect(bodies).toEqual([]);
  });
});

it.each([
  ["GET", null],
  ["HEAD", null],
])("a %s is sent without content", async (method) => {
  const seen: unknown[] = [];
  const sent = upload(
    async (body) => {
      seen.push(body);
      return new Response("x");
    },
    { method },
  );
  await sent.reply;
  expect(seen).toEqual([null]);
});
