import { describe, expect, it } from "vitest";
import { readerOf } from "../../../src/origin/move-body.ts";
import { sendContent } from "../../../src/origin/request-body.ts";
import { answerBody } from "../../../src/origin/response-body.ts";
import { waitsOf } from "../../../src/runtime/waits.ts";
import { testPlatform } from "../../support/platform.ts";
import { settle } from "../../support/streams.ts";

/** A body that tells how many bytes each read has room for, and gives so many of them; of nothing it never answers. */
function measured(gives: (room: number) => number) {
  const rooms: number[] = [];
  const body = new ReadableStream<Uint8Array>({
    type: "bytes",
    pull(controller) {
      const request = (controller as ReadableByteStreamController).byobRequest;
      const room = request?.view?.byteLength ?? 0;
      rooms.push(room);
      const given = gives(room);
      if (given === 0) return new Promise(() => {});
      request?.respond(given);
      return undefined;
    },
  } as UnderlyingByteSource as never);
  return { body, rooms };
}

describe("the memory that a body takes while it is silent", () => {
  it.each<[headers: Record<string, string>, room: number]>([
    [{}, 4096],
    [{ "content-length": "10000000" }, 4096],
    [{ "content-length": "65537" }, 4096],
    [{ "content-length": "65536" }, 16_384],
    [{ "content-length": "16384" }, 16_384],
    [{ "content-length": "100" }, 100],
  ])("of a request with %j is %i bytes", async (headers, room) => {
    const platform = testPlatform();
    const { body, rooms } = measured(() => 0);
    void sendContent(body, new Headers(headers), { platform, waits: waitsOf(platform) });
    await settle();
    expect(rooms).toEqual([room]);
  });

  it("of an answer of unknown length is 4096 bytes", async () => {
    const platform = testPlatform();
    const { body, rooms } = measured(() => 0);
    const given = { kind: "response", response: new Response(body), waits: waitsOf(platform), abandon() {} };
    await answerBody(given as never, { method: "GET", asBytes: false, deadlineMs: 1000, platform });
    await settle();
    expect(rooms).toEqual([4096]);
  });

  it("grows while each read is filled, and shrinks again", async () => {
    const { body, rooms } = measured((room) => (rooms.length <= 6 ? room : 1));
    const { read } = readerOf(body, null);
    for (let reads = 0; reads < 12; reads += 1) await read();
    expect(rooms).toEqual([
      ...[4096, 8192, 16_384, 32_768, 65_536, 65_536],
      ...[65_536, 32_768, 16_384, 8192, 4096, 4096],
    ]);
  });

  it("is no more than a body has bytes", async () => {
    const { body, rooms } = measured((room) => room);
    const { read } = readerOf(body, 5000, 4096);
    await read();
    await read();
    expect(rooms).toEqual([4096, 5000]);
  });
});
