import { describe, expect, it } from "vitest";
import { json, Origin, openCache } from "../../support/cache.ts";
import { passing } from "../../support/passing.ts";
import { until } from "../../support/until.ts";

/** An origin that answers nobody until it is let. */
function heldOrigin(answer: Origin["answer"]) {
  const origin = new Origin(answer);
  const held = Promise.withResolvers<void>();
  origin.gate = held.promise;
  return { origin, let: held.resolve };
}

describe("many requests of an isolate for one missing entry", () => {
  it("wait for one fetch of the origin, and say that they did", async () => {
    const { origin, let: letAnswer } = heldOrigin(() => json({}, { "cache-control": "max-age=60" }));
    const { ask, platform } = openCache({ origin, connection: null });
    const asking = Array.from({ length: 30 }, () => ask("/v1/x"));
    await until(() => origin.count > 0);
    letAnswer();
    const replies = await passing(platform, Promise.all(asking));
    expect(origin.count, "requests to the origin").toBe(1);
    expect(replies.filter(({ word }) => word === "MISS")).toHaveLength(1);
    const collapsed = replies.filter(({ headers }) => headers.get("cache-status")?.includes("collapsed"));
    expect(collapsed).toHaveLength(29);
  });

  it("wait for one validation of a stale one", async () => {
    const origin = new Origin(() => json({ count: origin.count }, { "cache-control": "max-age=60" }));
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x");
    platform.advance(61_000);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = Array.from({ length: 10 }, () => ask("/v1/x"));
    await until(() => origin.count > 1);
    held.resolve();
    const replies = await passing(platform, Promise.all(asking));
    expect(origin.count, "requests to the origin").toBe(2);
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(['{"count":2}']));
  });

  it("do not wait for what must be validated each time", async () => {
    const { origin, let: letAnswer } = heldOrigin(() =>
      json({}, { "cache-control": "no-cache", etag: '"a"' }),
    );
    letAnswer();
    const { ask } = openCache({ origin, connection: null });
    await ask("/v1/x");
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = [ask("/v1/x"), ask("/v1/x")];
    await until(() => origin.count === 3);
    held.resolve();
    await Promise.all(asking);
  });

  it("go on all at once where the answer may not be stored; and nobody queues for the next one", async () => {
    const { origin, let: letAnswer } = heldOrigin(() => json({}, { "cache-control": "no-store" }));
    const { ask, platform } = openCache({ origin, connection: null });
    const asking = Array.from({ length: 10 }, () => ask("/v1/x"));
    await until(() => origin.count > 0);
    letAnswer();
    await passing(platform, Promise.all(asking));
    expect(origin.count, "each asked for itself in the end").toBe(10);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const again = [ask("/v1/x"), ask("/v1/x"), ask("/v1/x")];
    await until(() => origin.count === 13);
    held.resolve();
    await Promise.all(again);
    expect(origin.count, "three at the origin at the same time").toBe(13);
  });

  it.each([
    ...[400, 401, 402, 403, 406, 407, 415, 422, 429, 431, 499],
    ...[500, 502, 503, 504, 508, 511, 520, 530],
  ])("wait for one fetch also after somebody's odd request got a %i", async (status) => {
    const origin = new Origin(({ headers }) =>
      headers.has("x-odd") ? json({}, {}, status) : json({}, { "cache-control": "max-age=60" }),
    );
    const { ask, platform } = openCache({ origin, connection: null });
    expect((await ask("/v1/x", { headers: { "x-odd": "1" } })).status).toBe(status);
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = Array.from({ length: 10 }, () => ask("/v1/x"));
    await until(() => origin.count > 1);
    held.resolve();
    await passing(platform, Promise.all(asking));
    expect(origin.count, "the odd one, and one").toBe(2);
  });

  it("wait two seconds at most for an origin that does not answer", async () => {
    const { origin, let: letAnswer } = heldOrigin(() => json({}, { "cache-control": "max-age=60" }));
    const { ask, platform } = openCache({ origin, connection: null });
    const asking = [ask("/v1/x"), ask("/v1/x")];
    await until(() => origin.count === 1 && platform.timersSet() > 0, "one asks, and the other waits for it");
    for (let at = 0; at < 1990; at += 10) await step(platform);
    expect(origin.count, "before").toBe(1);
    for (let at = 0; at < 30; at += 10) await step(platform);
    expect(origin.count, "after").toBe(2);
    letAnswer();
    await Promise.all(asking);
  });

  it("are let go by an origin that fails", async () => {
    const { origin, let: letAnswer } = heldOrigin(() => "down");
    const { ask, platform } = openCache({ origin, connection: null });
    const asking = [ask("/v1/x"), ask("/v1/x"), ask("/v1/x")];
    await until(() => origin.count > 0);
    letAnswer();
    const replies = await passing(platform, Promise.all(asking));
    expect(replies.map(({ status }) => status)).toEqual([502, 502, 502]);
  });

  it("wait for no answer that is not theirs to have: with credentials or without", async () => {
    const { origin, let: letAnswer } = heldOrigin(({ headers }) =>
      json({ for: headers.get("cookie") }, { "cache-control": "max-age=60" }),
    );
    const { ask, platform } = openCache({ origin, connection: null });
    const anonymous = ask("/v1/x");
    await until(() => origin.count === 1);
    const known = ask("/v1/x", {
      headers: { cookie: "sid=ada" },
      confirmed: { credentials: { any: true } as never },
    });
    await until(() => origin.count === 2);
    letAnswer();
    await passing(platform, anonymous);
    expect((await passing(platform, known)).text).toBe('{"for":"sid=ada"}');
  });

  it("do not wait for another variant, once it is known by what the URL varies", async () => {
    const origin = new Origin(({ headers }) =>
      json(
        { in: headers.get("accept-language") },
        { "cache-control": "max-age=60", vary: "accept-language" },
      ),
    );
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x", { headers: { "accept-language": "fr" } });
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = ["de", "en"].map((language) => ask("/v1/x", { headers: { "accept-language": language } }));
    await until(() => origin.count === 3);
    held.resolve();
    const replies = await passing(platform, Promise.all(asking));
    expect(replies.map(({ text }) => text)).toEqual(['{"in":"de"}', '{"in":"en"}']);
  });

  it("go on waiting for each other though one of them wanted nothing stored", async () => {
    const origin = new Origin(() => json({}, { "cache-control": "max-age=60" }));
    const { ask, platform } = openCache({ origin, connection: null });
    await ask("/v1/x", { headers: { "cache-control": "no-store" } });
    const held = Promise.withResolvers<void>();
    origin.gate = held.promise;
    const asking = Array.from({ length: 10 }, () => ask("/v1/x"));
    await until(() => origin.count === 2);
    held.resolve();
    await passing(platform, Promise.all(asking));
    expect(origin.count, "its own, and one for the ten").toBe(2);
  });

  it("are let go by a client that goes away: the fetch goes on without it", async () => {
    const { origin, let: letAnswer } = heldOrigin(() =>
      json({ a: 1 }, { "cache-control": "max-age=60", "content-length": "7" }),
    );
    const { begin, ask, platform } = openCache({ origin, connection: null });
    const first = await begin("/v1/x", {});
    await until(() => origin.count > 0);
    const waiting = ask("/v1/x");
    letAnswer();
    const { reply } = await first.reply;
    if (reply.kind === "response") await reply.response.body?.cancel();
    expect(await passing(platform, waiting)).toMatchObject({ word: "HIT", text: '{"a":1}' });
    expect(origin.count).toBe(1);
  });
});

describe("streams are not waited for", () => {
  it.each<[what: string, headers: Record<string, string>, accept: string]>([
    ["events", { "content-type": "text/event-stream", "cache-control": "max-age=60" }, "*/*"],
    ["events with a charset", { "content-type": "Text/Event-Stream; charset=utf-8" }, "*/*"],
    ["events that a client asks for", { "content-type": "text/event-stream" }, "text/event-stream"],
    ["events with a validator", { "content-type": "text/event-stream", etag: '"a"' }, "*/*"],
    ["JSON of unknown length", { "content-type": "application/json", "cache-control": "max-age=60" }, "*/*"],
    ["a large body", { "content-length": "900000", "cache-control": "max-age=60" }, "*/*"],
  ])("%s: the second and the third client have their own", async (_, headers, accept) => {
    const open: ReadableStreamDefaultController<Uint8Array>[] = [];
    const origin = new Origin(
      () => new Response(new ReadableStream({ start: (each) => void open.push(each) }), { headers }),
    );
    const { begin, platform, lines } = openCache({ origin, connection: null, rule: { ttl: 60 } });
    const first = await begin("/v1/x", { headers: { accept } });
    await first.reply;
    for (const count of [2, 3]) {
      const started = platform.now();
      const next = await begin("/v1/x", { headers: { accept } });
      await passing(platform, next.reply);
      expect(origin.count).toBe(count);
      expect(platform.now() - started).toBeLessThan(300);
    }
    for (const each of open) each.close();
    expect(lines).toEqual([]);
  });

  it("events are not stored, and take no stored answer away", async () => {
    const origin = new Origin(({ headers }) =>
      headers.get("accept") === "text/event-stream"
        ? new Response("data: 1\n\n", { headers: { "content-type": "text/event-stream" } })
        : json("page"),
    );
    const { ask } = openCache({ origin, rule: { ttl: 60 } });
    await ask("/v1/x");
    await ask("/v1/x", { headers: { accept: "text/event-stream", "cache-control": "no-cache" } });
    expect(await ask("/v1/x")).toMatchObject({ word: "HIT", text: '"page"' });
  });
});

async function step(platform: { advance(ms: number): void }): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  platform.advance(10);
}
