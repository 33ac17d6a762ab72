import { expect, it } from "vitest";
import { Origin, openCache } from "../../support/cache.ts";
import { testPlatform } from "../../support/platform.ts";
import { scriptedBody, settle } from "../../support/streams.ts";
import { until } from "../../support/until.ts";

const FIELDS = { "cache-control": "max-age=60", "content-type": "application/x-ndjson" };

/** An origin whose answer goes on until somebody ends it. */
function endless(fields: Record<string, string> = FIELDS) {
  const state = { sent: 0, ended: false };
  const origin = new Origin(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 1));
            state.sent += 1;
            controller.enqueue(new TextEncoder().encode("{}\n"));
          },
          cancel() {
            state.ended = true;
          },
        }),
        { headers: fields },
      ),
  );
  return { origin, state };
}

async function opened(isolate: ReturnType<typeof openCache>) {
  const asking = await isolate.begin("/v1/x", {});
  const { reply } = await asking.reply;
  const body = reply.kind === "response" ? reply.response.body : null;
  return body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
}

it.each([
  ["lines of JSON", FIELDS],
  ["text", { "cache-control": "max-age=60", "content-type": "text/plain" }],
  ["events", { "cache-control": "max-age=60", "content-type": "text/event-stream" }],
  ["what may not be stored", { "cache-control": "no-store", "content-type": "text/plain" }],
])("an endless stream of %s ends at the origin when its only reader has gone", async (_, fields) => {
  const { origin, state } = endless(fields);
  const reader = await opened(openCache({ origin, connection: null }));
  expect((await reader.read()).value?.length).toBe(3);
  await reader.cancel();
  await until(() => state.ended);
});

it("another client of it gets its first bytes at once, and goes on when the first has gone", async () => {
  const { origin } = endless();
  const isolate = openCache({ origin, connection: null });
  const first = await opened(isolate);
  await first.read();
  const second = await opened(isolate);
  expect((await second.read()).done).toBe(false);
  await first.cancel();
  expect((await second.read()).done).toBe(false);
  await second.cancel();
});

it("a body of unknown length that is read to its end is stored; one whose client leaves is not", async () => {
  let chunks = 3;
  const origin = new Origin(() => {
    let left = chunks;
    const body = new ReadableStream({
      pull(controller) {
        if (left === 0) return controller.close();
        left -= 1;
        controller.enqueue(new Uint8Array(1000));
      },
    });
    return new Response(body, { headers: FIELDS });
  });
  const isolate = openCache({ origin, connection: null });
  await isolate.ask("/v1/whole");
  expect(await isolate.ask("/v1/whole")).toMatchObject({ word: "HIT" });
  chunks = 1000;
  const reader = await opened(isolate);
  await reader.read();
  await reader.cancel();
  chunks = 3;
  expect((await isolate.ask("/v1/x")).bytes.length, "never a part of it").toBe(3000);
});

it.each<[condition: string, value: string, fields: Record<string, string>]>([
  ["if-none-match", '"a"', {}],
  ["if-none-match", 'W/"a", "b"', { "content-length": "70000" }],
  ["if-none-match", "*", { "content-type": "application/x-ndjson" }],
  ["if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT", {}],
  ["if-none-match", '"a"', { "cache-control": "max-age=1, stale-if-error=600" }],
])("a 304 out of a whole answer is no client that has gone: `%s: %s` beside %j stores it", async (...row) => {
  const [condition, value, fields] = row;
  const validators = { etag: '"a"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
  const origin = new Origin(() => {
    const bytes = new Uint8Array(70_000);
    const body = new Response(bytes).body?.pipeThrough(new TransformStream());
    return new Response(body, { headers: { ...FIELDS, ...validators, ...fields } });
  });
  const { ask, platform } = openCache({ origin, connection: null });
  expect(await ask("/v1/x", { headers: { [condition]: value } })).toMatchObject({
    status: 304,
    word: "MISS",
  });
  origin.answer = () => "down";
  platform.advance(900);
  const next = await ask("/v1/x");
  expect([next.status, next.word, next.bytes.length]).toEqual([200, "HIT", 70_000]);
});

it.each([
  ["what may be stored", "max-age=60"],
  ["what may not be stored", "no-store"],
  ["what is private", "private"],
])("a short body that stalls is the origin's timeout: %s", async (_, cacheControl) => {
  const platform = testPlatform();
  const content = scriptedBody();
  const headers = { "cache-control": cacheControl, "content-length": "4" };
  const origin = new Origin(() => new Response(content.body, { headers }));
  const asking = await openCache({ origin, platform, connection: null }).begin("/v1/x", {});
  content.send("ab");
  await settle();
  platform.advance(60_000);
  const { reply } = await asking.reply;
  expect(reply).toMatchObject({ kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" });
  expect(content.cancelled, "the origin's connection ends").toBe(true);
});
