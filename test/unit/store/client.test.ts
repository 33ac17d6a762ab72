import { describe, expect, it } from "vitest";
import { StoreError } from "../../../src/store/errors.ts";
import { Store } from "../../../src/store/store.ts";
import { ask, ok, storeWith, turn } from "../../support/store.ts";

const failure = (promise: Promise<unknown>): Promise<StoreError> =>
  promise.then(
    () => {
      throw new Error("it did not fail");
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(StoreError);
      return error as StoreError;
    },
  );
const shown = (error: unknown) => `${String(error)} ${JSON.stringify(error)} ${(error as Error).stack}`;
const refuse = () => Promise.reject(new TypeError("refused https://store.example a-token-of-the-test"));

describe("what a batch sends by the SDK", () => {
  it("goes out once, without telemetry, and without the SDK's own header fields", async () => {
    const { store, calls } = storeWith(refuse);
    await ask(store);
    expect(calls, "one attempt").toHaveLength(1);
    expect([...(calls[0]?.headers.keys() ?? [])].sort()).toEqual(["authorization", "content-type"]);
    expect(calls[0]?.path).toBe("/pipeline");
  });

  it("keeps each batch's sync token its own when two are sent at the same time", async () => {
    const { store, calls } = storeWith(
      (commands) =>
        new Response(JSON.stringify(commands.map(() => ({ result: [null] }))), {
          headers: { "upstash-sync-token": `after-${commands[0]?.[1]}` },
        }),
    );
    const batches = ["one", "two", undefined].map((token) => {
      const batch = store.batch();
      batch.syncToken = token;
      void batch.read(String(token));
      return batch;
    });
    await Promise.all(batches.map((batch) => batch.send()));
    expect(calls.map(({ headers }) => headers.get("upstash-sync-token"))).toEqual(["one", "two", null]);
    expect(batches.map(({ syncToken }) => syncToken)).toEqual(["after-one", "after-two", "after-undefined"]);
  });

  it("notices a reply that is too short, and one that is too long", async () => {
    for (const results of [["OK"], ["OK", "OK", "OK"]]) {
      const { store } = storeWith(() => ok(...results));
      const batch = store.batch();
      const replies = [1, 2].map((n) => batch.queue((p) => p.set(`k${n}`, "v", { px: 1000 })));
      await batch.send();
      expect(batch.error).toMatchObject({ code: "malformed" });
      for (const reply of replies) expect((await failure(reply)).code).toBe("malformed");
    }
  });

  it("takes exactly one command for each promise", async () => {
    for (const add of [() => {}, (p: { del(key: string): unknown }) => [p.del("a"), p.del("b")]]) {
      const { store, calls } = storeWith(() => ok("OK"));
      const batch = store.batch();
      const reply = batch.queue(add);
      await batch.send();
      expect((await failure(reply)).message).toContain("exactly one command");
      expect(batch.calls).toBe(0);
      expect(calls).toEqual([]);
    }
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY])(
    "sends no %s: JSON makes it null",
    async (value) => {
      const { store, calls } = storeWith(() => ok("OK"));
      const batch = store.batch();
      const reply = batch.queue((p) => p.set("key", value));
      await batch.send();
      expect(await failure(reply)).toMatchObject({
        code: "command",
        message: "Argument 2 of set is undefined or no finite number",
      });
      expect(calls).toEqual([]);
      expect(store.reachable).toBe(true);
    },
  );
});

describe("a handler's redis", () => {
  it("sends one command as one call, and gives its reply as Redis does", async () => {
    const { store, calls } = storeWith(() => ok("1e3"));
    expect(await store.redis().get("key")).toBe("1e3");
    expect(calls.map(({ path, commands }) => [path, commands])).toEqual([["/pipeline", [["get", "key"]]]]);
    expect([...(calls[0]?.headers.keys() ?? [])].sort(), "no telemetry").toEqual([
      "authorization",
      "content-type",
    ]);
  });

  it("takes commands that the SDK does not know", async () => {
    const { store, calls } = storeWith(() => ok("yes"));
    expect(await store.redis().exec(["OBJECT", "FREQ", "key"])).toBe("yes");
    expect(calls[0]?.commands).toEqual([["OBJECT", "FREQ", "key"]]);
  });

  it("makes a pipeline or a transaction one call", async () => {
    const { store, calls } = storeWith((commands) => ok(...commands.map(([, key]) => `value of ${key}`)));
    const redis = store.redis();
    expect(await redis.pipeline().get("a").get("b").exec()).toEqual(["value of a", "value of b"]);
    expect(await redis.multi().get("c").exec()).toEqual(["value of c"]);
    expect(calls.map(({ path, commands }) => [path, commands.length])).toEqual([
      ["/pipeline", 2],
      ["/multi-exec", 1],
    ]);
  });

  it("sends the newest sync token of its own, and the one it is given", async () => {
    let count = 0;
    const { store, calls } = storeWith(() => {
      count += 1;
      return new Response('[{"result":"OK"}]', { headers: { "upstash-sync-token": `token-${count}` } });
    });
    const sent = () => calls.map(({ headers }) => headers.get("upstash-sync-token"));
    const redis = store.redis();
    await redis.set("a", "1");
    await redis.get("a");
    await redis.pipeline().get("a").exec();
    expect(sent()).toEqual([null, "token-1", "token-2"]);
    await store.redis().get("a");
    expect(sent().at(-1), "another request's is not its own").toBeNull();
    redis.readYourWritesSyncToken = "of a batch";
    await redis.get("a");
    expect(sent().at(-1)).toBe("of a batch");
  });

  it("says which command was refused, and names no key and no value", async () => {
    const text = "NOPERM User x has no permissions to access the 'secret-key' key, command was: secret-value";
    const { store } = storeWith((commands) => Response.json(commands.map(() => ({ error: text }))));
    const redis = store.redis();
    const refused = { code: "command", redisCode: "NOPERM", message: "Redis refused set (NOPERM)" };
    const single = await failure(redis.set("secret-key", "secret-value"));
    const piped = await failure(redis.pipeline().set("secret-key", "secret-value").exec());
    for (const error of [single, piped]) {
      expect(error).toMatchObject(refused);
      expect(shown(error)).not.toContain("secret");
    }
    const kept = await redis.pipeline().set("secret-key", "secret-value").exec({ keepErrors: true });
    expect(kept).toEqual([{ error: "Redis refused set (NOPERM)", result: [] }]);
    const odd = await failure(redis.exec(["secret-value with spaces"]));
    expect(odd.message, "what stands in a name's place may be a value").toBe(
      "Redis refused a command (NOPERM)",
    );
  });

  it("a failed pipeline that keeps its errors does not change how the next one fails", async () => {
    const { store } = storeWith(() => Response.json([{ error: "WRONGTYPE" }]));
    const redis = store.redis();
    const kept = redis.pipeline().get("a").exec({ keepErrors: true });
    const thrown = failure(redis.pipeline().get("a").exec());
    expect((await kept)[0]?.error).toContain("WRONGTYPE");
    expect((await thrown).redisCode).toBe("WRONGTYPE");
    await expect(redis.pipeline().exec()).rejects.toThrow("Pipeline is empty");
    expect((await failure(redis.get("a"))).redisCode).toBe("WRONGTYPE");
  });

  it("runs a script of the SDK again as text where the server does not know it", async () => {
    const { store, calls } = storeWith((commands) =>
      commands[0]?.[0] === "evalsha" ? Response.json([{ error: "NOSCRIPT No matching script" }]) : ok(7),
    );
    expect(await store.redis().createScript<number>("return 7").exec([], [])).toBe(7);
    expect(calls.map(({ commands }) => commands[0]?.[0])).toEqual(["evalsha", "eval"]);
  });

  it.each([
    [200, '{"error":"EXECABORT Transaction discarded because of secret-value"}', "command"],
    [400, '{"error":"EXECABORT Transaction discarded because of secret-value"}', "command"],
    [400, "secret-value", "server"],
    [200, '{"result":"secret-value"}', "malformed"],
    [200, "[]", "malformed"],
  ])("a transaction answered %i %s is a typed error", async (status, body, code) => {
    const { store } = storeWith(() => new Response(body, { status }));
    const error = await failure(store.redis().multi().set("key", "secret-value").exec());
    expect(error.code).toBe(code);
    expect(shown(error)).not.toContain("secret");
  });

  it.each([
    ["refuses", refuse, "unreachable"],
    ["answers 500", () => new Response('{"error":"command was: secret-value"}', { status: 500 }), "server"],
    ["answers 401", () => new Response('{"error":"a-token-of-the-test"}', { status: 401 }), "unauthorized"],
    ["answers too little", () => ok(), "malformed"],
    [
      "has used up its quota",
      () => Response.json([{ error: "ERR max requests limit exceeded" }]),
      "throttled",
    ],
  ])(
    "makes one attempt at a store that %s, and its failures do not open the breaker",
    async (_, answer, code) => {
      const { store, calls, lines } = storeWith(answer);
      const redis = store.redis();
      for (let i = 0; i < 5; i += 1) {
        const error = await failure(redis.set("key", "secret-value"));
        expect(error.code).toBe(code);
        expect(shown(error)).not.toMatch(/secret|a-token-of/);
      }
      expect(calls).toHaveLength(5);
      expect(store.reachable).toBe(true);
      expect(store.maintenance(), "nothing is due for it").toBeNull();
      expect(lines).toEqual([]);
    },
  );

  it("has the batch's deadline: three times as long on a cold path", async () => {
    const { store, platform } = storeWith(() => new Promise(() => {}));
    const redis = store.redis();
    for (const ms of [1200, 400]) {
      let settled = false;
      const lost = failure(redis.get("key")).finally(() => {
        settled = true;
      });
      await turn();
      platform.advance(ms - 1);
      await turn();
      expect(settled, `not before ${ms} ms`).toBe(false);
      platform.advance(1);
      expect((await lost).code).toBe("timeout");
    }
  });

  it("fails at once while the breaker is open, and works again when a probe has closed it", async () => {
    let alive = false;
    const { store, calls, platform } = storeWith((commands) =>
      alive ? ok(...commands.map(() => "v")) : refuse(),
    );
    const redis = store.redis();
    for (let i = 0; i < 3; i += 1) await ask(store);
    expect((await failure(redis.get("key"))).code).toBe("open");
    expect((await failure(redis.pipeline().get("key").exec())).code).toBe("open");
    expect(calls).toHaveLength(3);
    alive = true;
    platform.advance(1000);
    await store.maintenance();
    expect(await redis.get("key")).toBe("v");
  });

  it("does not end the half-open state: only a batch does", async () => {
    const { store, platform } = storeWith((commands) =>
      ["PING", "get"].includes(String(commands[0]?.[0])) ? ok("v") : refuse(),
    );
    for (let i = 0; i < 3; i += 1) await ask(store);
    platform.advance(1000);
    await store.maintenance();
    expect(await store.redis().get("key")).toBe("v");
    await ask(store);
    expect(store.reachable, "one failed batch opens it again").toBe(false);
  });

  it("refuses a subscription, and says so without a call", async () => {
    const { store, calls } = storeWith(() => ok());
    const message = await new Promise((resolve) => {
      store
        .redis()
        .subscribe("channel")
        .on("error", (error: Error) => resolve(error.message));
    });
    expect(message).toContain("connection that stays open");
    expect(calls).toEqual([]);
  });

  it("is absent where no store is configured", async () => {
    const { platform } = storeWith(() => ok());
    const events = { emit() {}, tells: () => false };
    const store = new Store({ connection: null, platform, events });
    expect((await failure(store.redis().get("key"))).code).toBe("absent");
  });
});
