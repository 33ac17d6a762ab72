import { describe, expect, it } from "vitest";
import { textsIn } from "../../../src/store/replies.ts";
import { Origin, openCache } from "../../support/cache.ts";
import { storeOfOwner } from "../../support/store.ts";

const LONG = { "cache-control": "max-age=600", etag: '"1"' };
const SIZES: [what: string, bytes: Uint8Array<ArrayBuffer>, type: string][] = [
  ["bytes that do not shrink, over the bound", random(128 * 1024), "image/png"],
  ["bytes that do not shrink, far over the bound", random(600_000), "application/octet-stream"],
  ["text that shrinks below the bound", text(900_000), "text/plain"],
  ["text that does not shrink enough", hexText(400_000), "text/plain"],
];
const UNDER = random(90_000);

function random(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

function text(size: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode("a long text ".repeat(size / 12)) as Uint8Array<ArrayBuffer>;
}

function hexText(size: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(Buffer.from(random(size / 2)).toString("hex")) as Uint8Array<ArrayBuffer>;
}

function originOf(bytes: Uint8Array<ArrayBuffer>, fields: Record<string, string> = {}) {
  return new Origin(({ headers, method }) =>
    headers.has("if-none-match")
      ? new Response(null, { status: 304, headers: { ...LONG, ...fields, "x-new": "1" } })
      : new Response(method === "HEAD" ? null : bytes, { headers: { ...LONG, ...fields } }),
  );
}

/** The longest reply to a command of the calls that checks wait for, as JSON. */
async function longestReply(
  isolate: ReturnType<typeof openCache>,
  ask: () => Promise<unknown>,
): Promise<number> {
  const { fetch } = isolate.platform;
  let longest = 0;
  let first = true;
  isolate.platform.fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!first) return response;
    first = false;
    const reply = await response.text();
    longest = reply.length;
    return new Response(reply, response);
  };
  await ask();
  isolate.platform.fetch = fetch;
  return longest;
}

describe.each(SIZES)("%s", (_, bytes, type) => {
  it("come out of Redis as they went in, by no batch that a check waits for", async () => {
    const origin = originOf(bytes, { "content-type": type });
    const one = openCache({ origin });
    await one.ask("/v1/x");
    const next = openCache({ origin, platform: one.platform, prefix: one.prefix });
    let hit: Awaited<ReturnType<typeof next.ask>> | null = null;
    const longest = await longestReply(next, async () => {
      hit = await next.ask("/v1/x");
    });
    expect(hit).toMatchObject({ word: "HIT", status: 200, calls: 1 });
    expect(Buffer.from((hit as never as { bytes: Uint8Array }).bytes).equals(bytes)).toBe(true);
    expect(longest).toBeLessThan(140_000);
    expect(origin.count).toBe(1);
    next.wire.calls = 0;
    expect(await next.ask("/v1/x"), "then the isolate has them").toMatchObject({ word: "HIT", calls: 0 });
  });
});

describe("a long body that only Redis has", () => {
  const bytes = random(200_000);

  async function storedApart(fields: Record<string, string> = {}) {
    const origin = originOf(bytes, fields);
    const one = openCache({ origin, maxBodyBytes: 2_000_000 });
    await one.ask("/v1/x");
    const open = () => openCache({ origin, platform: one.platform, prefix: one.prefix });
    return { origin, one, open };
  }

  it.each<[what: string, asked: { method?: string; headers?: HeadersInit }, status: number]>([
    ["a HEAD", { method: "HEAD" }, 200],
    ["a client that has it", { headers: { "if-none-match": '"1"' } }, 304],
  ])("is not fetched for %s", async (_, asked, status) => {
    const { open } = await storedApart();
    const next = open();
    expect(await next.ask("/v1/x", asked)).toMatchObject({ status, word: "HIT" });
    expect(next.wire.calls).toBe(1);
  });

  it.each<[what: string, change: (body: string, isolate: ReturnType<typeof openCache>) => Promise<void>]>([
    ["is gone", (body, isolate) => run(isolate, (p) => p.del(body))],
    ["is another entry's", (body, isolate) => run(isolate, (p) => p.set(body, "other\nAAAA"))],
    ["is cut short", (body, isolate) => run(isolate, (p) => cut(p, body))],
  ])("and %s is a miss, which stores it anew", async (_, change) => {
    const { origin, one, open } = await storedApart();
    await change(keyOf(one, 4), one);
    const missed = await open().ask("/v1/x");
    expect(missed).toMatchObject({ word: expect.stringMatching(/MISS|REVALIDATED/), status: 200 });
    expect(missed.bytes.length).toBe(bytes.length);
    expect(origin.count).toBeGreaterThan(1);
    expect(await open().ask("/v1/x")).toMatchObject({ word: "HIT" });
  });

  it("and does not come in time is a miss, and the store is not lost for it", async () => {
    const { open } = await storedApart();
    const next = open();
    const { fetch } = next.platform;
    let calls = 0;
    next.platform.fetch = (input, init) => {
      calls += 1;
      if (calls === 1) return fetch(input, init);
      throw new TypeError("broke");
    };
    for (let n = 0; n < 4; n += 1) {
      calls = 0;
      const missed = await next.ask("/v1/x", { unsettled: true });
      expect(missed.bytes.length).toBe(bytes.length);
    }
    expect(next.store.state).toEqual({ mode: "redis" });
  });

  it("is validated by its fields alone, and stays where it is", async () => {
    const { one, open } = await storedApart({ "cache-control": "max-age=1" });
    one.platform.advance(2000);
    const next = open();
    expect(await next.ask("/v1/x")).toMatchObject({ word: "REVALIDATED" });
    const sent = next.wire.commands.flatMap((command) => command.map((each) => String(each).length));
    expect(Math.max(...sent), "it is not sent again").toBeLessThan(20_000);
    const third = await open().ask("/v1/x");
    expect(third).toMatchObject({ word: "HIT" });
    expect(third.headers.get("x-new")).toBe("1");
    expect(third.bytes.length).toBe(bytes.length);
  });

  it("gives way to a short one, and its bytes leave Redis", async () => {
    const { origin, one, open } = await storedApart({ vary: "accept" });
    one.platform.advance(1);
    origin.answer = () => new Response("short", { headers: { ...LONG, vary: "accept" } });
    await one.ask("/v1/x", { headers: { "cache-control": "no-cache" } });
    expect(await open().ask("/v1/x")).toMatchObject({ word: "HIT", text: "short" });
    const hash = keyOf(one, 3);
    const batch = storeOfOwner().store.batch();
    const fields = batch.queue((pipeline) => pipeline.hkeys(hash));
    await batch.send();
    expect(textsIn(await fields).filter((field) => field.startsWith("b:"))).toEqual([]);
  });
});

describe("a store that takes less than an entry's length", () => {
  function refusing(answer: (length: number) => Response | null) {
    const origin = new Origin(
      ({ url }) => new Response(url.includes("small") ? UNDER : random(500_000), { headers: LONG }),
    );
    const isolate = openCache({ origin });
    const { fetch } = isolate.platform;
    let refused = 0;
    isolate.platform.fetch = async (input, init) => {
      const reply = answer(String(init?.body).length);
      if (reply) refused += 1;
      return reply ?? fetch(input, init);
    };
    return { isolate, origin, refused: () => refused };
  }
  const ERROR = "ERR max request size exceeded. Limit: 300000 bytes, Actual: 666666 bytes";

  it.each<[what: string, answer: (length: number) => Response | null]>([
    ["413", (length) => (length > 300_000 ? new Response(`{"error":"${ERROR}"}`, { status: 413 }) : null)],
    ["413 without a word", (length) => (length > 300_000 ? new Response("", { status: 413 }) : null)],
    [
      "400 that says so",
      (length) => (length > 300_000 ? new Response(`{"error":"${ERROR}"}`, { status: 400 }) : null),
    ],
    ["200 with an error for each", (length) => (length > 300_000 ? Response.json([{ error: ERROR }]) : null)],
  ])("%s: is not lost for it, and is sent no more of that length", async (_, answer) => {
    const { isolate, refused } = refusing(answer);
    for (let n = 0; n < 6; n += 1) expect((await isolate.ask(`/v1/${n}`)).bytes.length).toBe(500_000);
    expect(refused()).toBe(1);
    expect(isolate.store.state).toEqual({ mode: "redis" });
    expect(isolate.lines.filter(({ event }) => event.startsWith("store."))).toEqual([]);
    await isolate.ask("/v1/small");
    const next = openCache({ origin: isolate.origin, platform: isolate.platform, prefix: isolate.prefix });
    expect((await next.ask("/v1/small")).word, "what it takes is stored").toBe("HIT");
    expect((await isolate.ask("/v1/0")).word, "the isolate holds the long one").toBe("HIT");
  });

  it("an answer whose fields alone are longer than a batch may carry is held by the isolate only", async () => {
    const fields: Record<string, string> = { ...LONG };
    for (let n = 0; n < 20; n += 1) fields[`x-${n}`] = "x".repeat(8000);
    const origin = new Origin(() => new Response("short", { headers: fields }));
    const isolate = openCache({ origin });
    await isolate.ask("/v1/x");
    expect((await isolate.ask("/v1/x")).word).toBe("HIT");
    expect(isolate.wire.commands.map(([name]) => name)).not.toContain("set");
  });
});

type Isolate = ReturnType<typeof openCache>;
type Pipeline = Parameters<Parameters<ReturnType<Isolate["store"]["batch"]>["queue"]>[0]>[0];

/** The nth key of the script that stores: 3 is the URL's variants, 4 the long body of what does not vary. */
function keyOf({ wire }: Isolate, n: number): string {
  return String(wire.commands.find(([name]) => name === "evalsha")?.[3 + n]);
}

async function run(isolate: Isolate, command: (pipeline: Pipeline) => unknown): Promise<void> {
  const batch = isolate.store.batch();
  void batch.queue(command);
  await batch.send();
}

function cut(pipeline: Pipeline, key: string): unknown {
  const script =
    "local t = redis.call('GET', KEYS[1]) return redis.call('SET', KEYS[1], string.sub(t, 1, 5000))";
  return pipeline.eval(script, [key], []);
}
