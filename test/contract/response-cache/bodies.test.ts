import { describe, expect, it } from "vitest";
import { json, Origin, openCache } from "../../support/cache.ts";
import { turn } from "../../support/store.ts";
import { until } from "../../support/until.ts";

const LONG = { "cache-control": "max-age=60" };
const TEXT = JSON.stringify({ rows: Array.from({ length: 400 }, (_, n) => ({ n, name: `row ${n}` })) });
const large = (headers: Record<string, string> = {}) =>
  new Response(TEXT, { headers: { ...LONG, "content-type": "application/json", etag: '"v1"', ...headers } });

it("a compressible body is written to Redis once, in base64 of gzip", async () => {
  const { ask, wire } = openCache({ origin: new Origin(() => large()) });
  await ask("/v1/x");
  const written = wire.commands
    .map((command) => JSON.stringify(command))
    .filter((each) => each.includes("gzip"));
  expect(written.length, "one write").toBe(1);
  expect(written[0]?.length, "not the text itself").toBeLessThan(TEXT.length / 2);
});

describe("bodies", () => {
  it.each([
    ["below 1 KiB", "x".repeat(1023), "text/plain"],
    ["that compress", "x".repeat(5000), "text/plain"],
    ["of a type that does not compress", "x".repeat(5000), "image/png"],
    ["without a type", "x".repeat(5000), ""],
  ])("%s come back as they were", async (_, text, type) => {
    const headers = { ...LONG, ...(type && { "content-type": type }) };
    const origin = new Origin(() => new Response(new TextEncoder().encode(text), { headers }));
    const first = openCache({ origin });
    await first.ask("/v1/x");
    const { ask } = openCache({ origin, platform: first.platform, prefix: first.prefix });
    expect(await ask("/v1/x")).toMatchObject({ word: "HIT", text });
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

it("of many long bodies at a time no more are gathered than there is room for, and all pass whole", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow = () =>
    new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new Uint8Array(900_000));
        await promise;
        controller.close();
      },
    });
  const origin = new Origin(() => new Response(slow(), { headers: LONG }));
  const { ask, cache } = openCache({ origin, isolateBytes: 64_000_000, connection: null });
  const paths = Array.from({ length: 30 }, (_, n) => `/v1/${n}`);
  const asking = paths.map((path) => ask(path));
  await until(() => origin.count === 30);
  for (let n = 0; n < 30; n += 1) await turn();
  resolve();
  for (const { bytes } of await Promise.all(asking)) expect(bytes.length).toBe(900_000);
  expect(cache.sizes.bytes).toBeLessThan(17_000_000);
  expect(cache.sizes.bytes).toBeGreaterThan(10_000_000);
  for (const path of paths) await ask(path);
  expect(cache.sizes.urls, "once there is room").toBe(30);
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
});
