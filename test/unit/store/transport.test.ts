import { describe, expect, it, vi } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
import { createTransport } from "../../../src/store/transport.ts";
import { testPlatform } from "../../support/platform.ts";
import { ask, ok, storeWith, turn } from "../../support/store.ts";

it.each([true, false])("a call that is given up is aborted where that is wanted: %s", async (aborts) => {
  const signals: unknown[] = [];
  const platform = testPlatform({
    fetch(_input, init) {
      signals.push(init?.signal);
      return new Promise<Response>(() => {});
    },
  });
  const connection = { url: "https://store.example", token: "a-token-of-the-test" };
  const sent = createTransport({ ...connection, platform, aborts })({
    commands: [["PING"]],
    deadlineMs: 100,
  });
  const given = sent.catch((error: unknown) => error);
  platform.advance(100);
  expect(await given).toMatchObject({ code: "timeout" });
  expect(signals).toEqual([aborts ? expect.objectContaining({ aborted: true }) : undefined]);
});

describe("a store that misbehaves is one typed error", () => {
  const body =
    (text: string, status = 200) =>
    () =>
      new Response(text, { status });
  const cases: [what: string, answer: () => Response | Promise<Response>, code: string][] = [
    [
      "refuses the connection",
      () => Promise.reject(new TypeError("connect ECONNREFUSED https://store.example token")),
      "unreachable",
    ],
    ["answers 401", body('{"error":"WRONGPASS a-token-of-the-test"}', 401), "unauthorized"],
    ["answers 429", body('{"error":"slow down"}', 429), "throttled"],
    [
      "answers 500",
      body('{"error":"ERR, command was: [[\\"set\\",\\"key\\",\\"secret-value\\"]]"}', 500),
      "server",
    ],
    ["answers 503 as HTML", body("<html>secret-value</html>", 503), "server"],
    ["answers 200 as HTML", body("<html>secret-value</html>"), "malformed"],
    ["answers truncated JSON", body('[{"result":"secret-val'), "malformed"],
    ["answers JSON of another shape", body('{"result":"secret-value"}'), "malformed"],
    ["answers a list of other things", body('["secret-value"]'), "malformed"],
    ["answers fewer items than commands", body("[]"), "malformed"],
    ["answers an empty 200", body(""), "malformed"],
    [
      "has used up its quota",
      body('[{"error":"ERR max requests limit exceeded. Limit: 500000"}]'),
      "throttled",
    ],
    [
      "breaks off in the body",
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('[{"res'));
              controller.error(new Error("reset"));
            },
          }),
        ),
      "unreachable",
    ],
  ];
  it.each(cases)("when it %s", async (_, answer, code) => {
    const { store } = storeWith(answer);
    const batch = store.batch();
    const reply = batch.queue((pipeline) => pipeline.set("key", "secret-value", { px: 1000 }));
    await batch.send();
    const error = await reply.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code });
    expect(batch.error, "the whole batch failed").toBe(error);
    const shown = `${String(error)} ${JSON.stringify(error)}`;
    expect(shown, "an error holds no value and no token").not.toMatch(/secret-val|a-token-of|"key"/);
  });

  it("when it hangs: timeout at the deadline, three times as long on an isolate's first call", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    const settled: string[] = [];
    const ask = (name: string) => {
      const batch = store.batch(() => {});
      batch.queue((pipeline) => pipeline.ping());
      return batch.send().then(() => settled.push(`${name}: ${batch.error?.code}`));
    };
    const first = ask("first");
    await turn();
    platform.advance(1199);
    await turn();
    expect(settled, "the first call may take 1200 ms").toEqual([]);
    platform.advance(1);
    await first;
    const second = ask("second");
    await turn();
    platform.advance(400);
    await second;
    expect(settled).toEqual(["first: timeout", "second: timeout"]);
  });
});

describe("a reply that is too long", () => {
  const MAX = 16 * 1024 * 1024;
  const CHUNK = new Uint8Array(1024 * 1024).fill(0x20);

  /** An answer of so many chunks, `read` of which somebody has asked for. */
  function answerOf(chunks: number, init: ResponseInit) {
    const told = { read: 0 };
    const body = new ReadableStream(
      {
        pull(controller) {
          told.read += 1;
          if (told.read > chunks) controller.close();
          else controller.enqueue(told.read === 1 ? new TextEncoder().encode('[{"result":null}]') : CHUNK);
        },
      },
      { highWaterMark: 0 },
    );
    return { told, response: new Response(body, init) };
  }

  it.each<[what: string, init: ResponseInit]>([
    ["without a length", {}],
    ["that says so", { headers: { "content-length": String(10 * MAX) } }],
    [
      "that is packed, and says a length",
      { headers: { "content-length": "64", "content-encoding": "gzip" } },
    ],
    ["with a length that is none", { headers: { "content-length": "many" } }],
    ["of a refusal", { status: 500 }],
  ])("is not read on, and the store is lost after three: %s", async (_, init) => {
    const answers = [1, 2, 3].map(() => answerOf(1000, init));
    const { store, lines } = storeWith((_commands, call) => answers[call - 1]?.response ?? ok([null]));
    for (const { told } of answers) {
      const { error } = await ask(store);
      expect(error).toMatchObject({ code: "malformed" });
      expect(told.read * CHUNK.length).toBeLessThanOrEqual(MAX + CHUNK.length);
    }
    expect(lines).toMatchObject([{ event: "store.lost", fields: { reason: "malformed" } }]);
  });

  it.each<[what: string, init: ResponseInit]>([
    ["with a length", { headers: { "content-length": "22" } }],
    ["without one", {}],
  ])("is told by its bytes, and may begin with a byte order mark otherwise: %s", async (_, init) => {
    const { store } = storeWith(() => new Response('\ufeff[{"result":[null]}]', init));
    expect((await ask(store)).error).toBeUndefined();
  });

  it("is one of more than 16 MiB", async () => {
    const { store } = storeWith(() => answerOf(MAX / CHUNK.length, {}).response);
    const batch = store.batch();
    const reply = batch.queue((pipeline) => pipeline.get("a"));
    await batch.send();
    expect(await reply).toBeNull();
  });
});

describe("a call that a request waits for less long than it may take", () => {
  /** After the cold start, in which both wait as long. */
  async function warmStore(answer: (call: number) => Response | Promise<Response>) {
    const { store, platform } = storeWith((_, call) => (call === 1 ? ok([null]) : answer(call)));
    await ask(store);
    platform.advance(1300);
    return { store, platform, timers: vi.spyOn(platform, "timer") };
  }

  it("sets one timer where the reply is in time", async () => {
    const { store, platform, timers } = await warmStore(() => ok([null]));
    const { error } = await ask(store);
    expect(error).toBeUndefined();
    expect(timers.mock.calls.map(([ms]) => ms)).toEqual([400]);
    platform.advance(5000);
    expect(store.silent, "the timer is gone").toBe(false);
  });

  it("sets a second one once the request has given it up, for the rest of the time", async () => {
    const { store, platform, timers } = await warmStore(() => new Promise(() => {}));
    const asked = ask(store);
    await turn();
    platform.advance(400);
    expect((await asked).error?.code).toBe("timeout");
    expect(timers.mock.calls.map(([ms]) => ms)).toEqual([400, 800]);
    expect(store.silent).toBe(true);
  });
});
