import { describe, expect, it } from "vitest";
import { json, Origin, openCache } from "../../support/cache.ts";

const LONG = { "cache-control": "max-age=60" };
const TEXT = JSON.stringify({ rows: Array.from({ length: 400 }, (_, n) => ({ n, name: `row ${n}` })) });
const large = (headers: Record<string, string> = {}) =>
  new Response(TEXT, { headers: { ...LONG, "content-type": "application/json", etag: '"v1"', ...headers } });

describe("a compressible body from 1 KiB on", () => {
  async function fromRedis(answer: Origin["answer"] = () => large()) {
    const origin = new Origin(answer);
    const first = openCache({ origin });
    await first.ask("/v1/x");
    return openCache({ origin, platform: first.platform, prefix: first.prefix });
  }

  it("is served gzipped, as it is stored, to a client that says it decodes it", async () => {
    const { ask } = await fromRedis();
    const reply = await ask("/v1/x", { acceptEncoding: "br, gzip" });
    expect(reply.headers.get("content-encoding")).toBe("gzip");
    expect(reply.headers.get("content-length")).toBe(String(reply.bytes.length));
    expect(reply.bytes.length, "smaller than the text").toBeLessThan(TEXT.length / 4);
    expect(await gunzip(reply.bytes)).toBe(TEXT);
    expect(reply.headers.get("etag"), "other bytes, a weak tag").toBe('W/"v1"');
    expect(reply.headers.get("vary")).toBe("Accept-Encoding");
  });

  it.each([[undefined], [""], ["br"], ["gzip;q=0"], ["identity, *;q=0"]])(
    "is served inflated where the client accepts %j",
    async (acceptEncoding) => {
      const { ask } = await fromRedis();
      const reply = await ask("/v1/x", acceptEncoding === undefined ? {} : { acceptEncoding });
      expect(reply.text).toBe(TEXT);
      expect(reply.headers.get("content-encoding")).toBeNull();
      expect(reply.headers.get("etag")).toBe('"v1"');
      expect(reply.headers.get("content-length")).toBe(String(TEXT.length));
      expect(reply.headers.get("vary")).toBe("Accept-Encoding");
    },
  );

  it("is cut into ranges of its identity form", async () => {
    const { ask } = await fromRedis();
    const reply = await ask("/v1/x", { acceptEncoding: "gzip", headers: { range: "bytes=10-19" } });
    expect(reply).toMatchObject({ status: 206, text: TEXT.slice(10, 20) });
    expect(reply.headers.get("content-encoding")).toBeNull();
    expect(reply.headers.get("etag")).toBe('"v1"');
  });

  it("is 304 by either form's tag", async () => {
    const { ask } = await fromRedis();
    for (const tag of ['"v1"', 'W/"v1"']) {
      const reply = await ask("/v1/x", { acceptEncoding: "gzip", headers: { "if-none-match": tag } });
      expect(reply.status, tag).toBe(304);
      expect(reply.headers.get("vary")).toBe("Accept-Encoding");
    }
  });

  it("tells a HEAD what the GET would be", async () => {
    const { ask } = await fromRedis();
    const get = await ask("/v1/x", { acceptEncoding: "gzip" });
    const head = await ask("/v1/x", { acceptEncoding: "gzip", method: "HEAD" });
    for (const name of ["content-encoding", "content-length", "etag", "vary"]) {
      expect(head.headers.get(name), name).toBe(get.headers.get(name));
    }
  });

  it("goes as it is where the origin forbids to transform it (§5.2.2.6)", async () => {
    const { ask } = await fromRedis(() => large({ "cache-control": "max-age=60, no-transform" }));
    const reply = await ask("/v1/x", { acceptEncoding: "gzip" });
    expect(reply.headers.get("content-encoding")).toBeNull();
    expect(reply.text).toBe(TEXT);
  });

  it("is written to Redis once, in base64 of gzip", async () => {
    const { ask, wire } = openCache({ origin: new Origin(() => large()) });
    await ask("/v1/x");
    const written = wire.commands
      .map((command) => JSON.stringify(command))
      .filter((each) => each.includes("gzip"));
    expect(written.length, "one write").toBe(1);
    expect(written[0]?.length, "not the text itself").toBeLessThan(TEXT.length / 2);
  });
});

describe("other bodies", () => {
  it.each([
    ["below 1 KiB", "x".repeat(1023), "text/plain"],
    ["of a type that does not compress", "x".repeat(5000), "image/png"],
    ["without a type", "x".repeat(5000), ""],
  ])("%s are stored as they are", async (_, text, type) => {
    const headers = { ...LONG, ...(type && { "content-type": type }) };
    const origin = new Origin(() => new Response(new TextEncoder().encode(text), { headers }));
    const first = openCache({ origin });
    await first.ask("/v1/x");
    const { ask } = openCache({ origin, platform: first.platform, prefix: first.prefix });
    const reply = await ask("/v1/x", { acceptEncoding: "gzip" });
    expect(reply).toMatchObject({ word: "HIT", text });
    expect(reply.headers.get("content-encoding")).toBeNull();
    expect(reply.headers.get("vary")).toBeNull();
  });

  it("survive byte for byte, whatever their bytes", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 31 + (index >> 8)) & 255);
    const origin = new Origin(() => new Response(bytes, { headers: LONG }));
    const first = openCache({ origin });
    await first.ask("/v1/x");
    const { ask } = openCache({ origin, platform: first.platform, prefix: first.prefix });
    expect((await ask("/v1/x")).bytes).toEqual(bytes);
  });

  it("of 204 and of an empty 200 are stored too", async () => {
    for (const status of [204, 200]) {
      const origin = new Origin(() => new Response(status === 204 ? null : "", { status, headers: LONG }));
      const first = openCache({ origin });
      await first.ask("/v1/x");
      const { ask } = openCache({ origin, platform: first.platform, prefix: first.prefix });
      expect(await ask("/v1/x")).toMatchObject({ word: "HIT", status, text: "" });
    }
  });

  it("larger than the bound pass through whole and are not held, with and without a length", async () => {
    const stream = (chunks: number) => {
      let sent = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent === chunks) return controller.close();
          sent += 1;
          controller.enqueue(new Uint8Array(1000).fill(65));
        },
      });
    };
    for (const headers of [LONG, { ...LONG, "content-length": "50000" }]) {
      const origin = new Origin(() => new Response(stream(50), { headers }));
      const { ask, cache, wire } = openCache({ origin, maxBodyBytes: 10_000 });
      const reply = await ask("/v1/x");
      expect(reply.bytes.length).toBe(50_000);
      expect(cache.sizes.urls, "held in the isolate").toBe(0);
      expect(
        wire.commands.some((command) => JSON.stringify(command).includes("max-age")),
        "written",
      ).toBe(false);
      expect((await ask("/v1/x")).word).toBe("MISS");
    }
  });
});

describe("bodies that lie or die", () => {
  const body = (chunks: string[], end: "close" | "error") =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
        if (end === "close") controller.close();
        else controller.error(new Error("gone"));
      },
    });

  it.each([
    ["shorter than its Content-Length", () => body(["abc"], "close"), "5"],
    ["longer than its Content-Length", () => body(["abcdefgh"], "close"), "5"],
    ["broken off", () => body(["abc"], "error"), null],
  ])("%s are never stored", async (_, stream, length) => {
    const headers = { ...LONG, ...(length !== null && { "content-length": length }) };
    const origin = new Origin(() => new Response(stream(), { headers }));
    const { ask, cache } = openCache({ origin });
    await ask("/v1/x");
    expect(cache.sizes.urls).toBe(0);
    await ask("/v1/x");
    expect(origin.count, "asked again").toBe(2);
  });
});

describe("the isolate's bound", () => {
  it("holds in bytes, the least recently used leave first", async () => {
    const origin = new Origin(() => json({ text: "x".repeat(900) }, LONG));
    const { ask, cache } = openCache({ origin, connection: null, isolateBytes: 20_000 });
    for (let n = 0; n < 50; n += 1) {
      await ask(`/v1/${n}`);
      await ask("/v1/0");
      expect(cache.sizes.bytes).toBeLessThanOrEqual(20_000);
    }
    expect((await ask("/v1/0")).word, "used all the time").toBe("HIT");
    expect((await ask("/v1/1")).word, "used long ago").toBe("MISS");
  });

  it("counts both forms of a body", async () => {
    const { ask, cache } = openCache({ origin: new Origin(() => large()) });
    await ask("/v1/x");
    expect(cache.sizes.bytes).toBeGreaterThan(TEXT.length);
  });
});

async function gunzip(bytes: Uint8Array): Promise<string> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  return new Response(stream.pipeThrough(new DecompressionStream("gzip"))).text();
}
