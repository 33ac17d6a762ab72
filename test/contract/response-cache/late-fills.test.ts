import { expect, inject, it } from "vitest";
import { createEvents } from "../../../src/events/events.ts";
import { bodyOf } from "../../../src/response-cache/body.ts";
import type { Entry } from "../../../src/response-cache/entry.ts";
import type { EntryAddress } from "../../../src/response-cache/entry-store.ts";
import { RedisEntryStore } from "../../../src/response-cache/redis-entry-store.ts";
import { SelectingFields } from "../../../src/response-cache/selecting-fields.ts";
import type { Batch } from "../../../src/store/batch.ts";
import { createKeys } from "../../../src/store/keys.ts";
import { Store } from "../../../src/store/store.ts";
import { ageRedis } from "../../support/age-redis.ts";
import { freshPrefix, hashOf } from "../../support/limits.ts";
import { testPlatform } from "../../support/platform.ts";
import { storeOfOwner } from "../../support/store.ts";

const ADDRESS: EntryAddress = { url: "edge.example/p", urlHash: "u", key: "u", sharedKey: "u" };
const MANY = `for n = 1, 2000 do redis.call('ZADD', KEYS[1], ARGV[1], 'hother' .. n) end`;

/** What happens between the request of a fill, at 0 ms, and its arrival. */
function open() {
  const prefix = freshPrefix();
  const platform = testPlatform({ fetch: (input, init) => fetch(input, init) });
  const connection = { url: inject("upstashUrl"), token: inject("upstashToken") };
  const store = new Store({ connection, platform, events: createEvents({ platform, write: () => {} }) });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const entries = new RedisEntryStore({ keys, platform, store });
  const began = platform.now();
  const selecting = new SelectingFields(new Headers(), async (kind, text) => hashOf(`${kind}:${text}`));

  async function inBatch(queue: (batch: Batch) => Promise<unknown>): Promise<void> {
    const batch = store.batch();
    const done = queue(batch);
    await batch.send();
    await done;
  }
  async function byOwner(script: string, name: string, value: string | number): Promise<void> {
    const batch = storeOfOwner().store.batch();
    const done = batch.queue((pipeline) => pipeline.eval(script, [name], [value]));
    await batch.send();
    await done;
  }
  /** An answer to a request of then, ms since the fill's own. */
  function answer(at: number, keepMs = 600_000, vary: string[] = []): Entry {
    const requestTime = began + at;
    return {
      id: `${requestTime}-${vary.length}`,
      variant: selecting.variant(vary),
      meta: { status: 200, headers: [], requestTime, responseTime: requestTime, vary, credentials: false },
      shareable: false,
      tags: [],
      keepUntil: Math.max(requestTime, platform.now()) + keepMs,
      body: bodyOf(Uint8Array.from(new TextEncoder().encode(`asked for at ${at}`))),
    };
  }

  return {
    answer,
    /** So many other URLs are written to as the changes have room for. */
    manyWrites: (at: number) => byOwner(MANY, keys.changes(), began + at),
    spoilChanges: () => byOwner("redis.call('SET', KEYS[1], ARGV[1], 'PX', 600000)", keys.changes(), "what?"),
    /** Ms pass, here and in Redis. */
    async pass(ms: number) {
      platform.advance(ms);
      await ageRedis(prefix, ms);
    },
    /** The isolate's clock alone. */
    setClock: (at: number) => platform.advance(began + at - platform.now()),
    async put(entry: Entry, isNew = false) {
      const batch = store.batch();
      const rest = await entries.put(ADDRESS, entry, isNew, batch);
      await batch.send();
      const again = store.batch();
      await rest?.(again);
      await again.send();
    },
    /** The origin has withdrawn what does not vary, in answer to a request of then. */
    withdraw: (at: number) =>
      inBatch((batch) =>
        entries.withdraw(ADDRESS, { variant: "", vary: [], id: "any", requestTime: began + at }, batch),
      ),
    write: (at: number, urlHash = "u") =>
      inBatch((batch) => entries.invalidate({ ...ADDRESS, urlHash }, { hard: began + at, soft: 0 }, batch)),
    async found(): Promise<string> {
      await selecting.hide();
      const query = { selecting, heldId: null, purgesSince: null, changesSince: "-inf" };
      const batch = store.batch();
      const finding = entries.find(ADDRESS, query, batch);
      await batch.send();
      const { kind, ...rest } = await finding;
      return "entry" in rest ? rest.entry.id : kind;
    },
  };
}

type Run = ReturnType<typeof open>;
const LANGUAGE = ["accept-language"];
/** What expires meanwhile: by the clock of the test, long before it does so by Redis' own. */
const SHORT_MS = 50_000;

it.each<[what: string, isStored: boolean, between: (run: Run) => Promise<unknown>]>([
  [
    "a short-lived answer took the place of a withdrawal, and the fill took its time",
    false,
    async ({ withdraw, put, answer, pass }) => {
      await withdraw(100);
      await pass(200);
      await put(answer(200, SHORT_MS));
      await pass(SHORT_MS + 1000);
    },
  ],
  [
    "the same, and the fill was quick",
    false,
    async ({ withdraw, put, answer, pass, setClock }) => {
      await withdraw(100);
      setClock(200);
      await put(answer(200, SHORT_MS));
      await pass(SHORT_MS + 200);
      setClock(900);
    },
  ],
  [
    "a short-lived variant took the place of a withdrawal",
    false,
    async ({ withdraw, put, answer, pass, setClock }) => {
      await withdraw(100);
      setClock(200);
      await put(answer(200, SHORT_MS, LANGUAGE));
      await pass(SHORT_MS + 200);
      setClock(900);
    },
  ],
  [
    "short-lived variants have expired beside what was withdrawn among them",
    false,
    async ({ withdraw, put, answer, pass, setClock }) => {
      await put(answer(-50, SHORT_MS, LANGUAGE));
      await withdraw(100);
      await pass(SHORT_MS + 200);
      setClock(900);
    },
  ],
  ["the withdrawal is of a clock 5 s ahead", false, ({ withdraw }) => withdraw(5000)],
  [
    "the withdrawal is of a clock 5 s ahead, among variants",
    false,
    async ({ put, answer, withdraw }) => {
      await put(answer(-50, 600_000, LANGUAGE));
      await withdraw(5000);
    },
  ],
  ["the withdrawal is of a clock that was wrong", true, ({ withdraw }) => withdraw(60_000)],
  ["the withdrawal is older", true, ({ withdraw }) => withdraw(-1)],
  ["a later answer of a clock 5 s ahead is there", false, ({ put, answer }) => put(answer(5000))],
  [
    "the write is no longer among the changes, of which there were too many",
    false,
    async ({ write, manyWrites, pass }) => {
      await write(100);
      await manyWrites(3000);
      await pass(4000);
      await write(4000, "another");
    },
  ],
  [
    "there were too many changes before it began",
    true,
    async ({ manyWrites, pass, write }) => {
      await manyWrites(-3000);
      await pass(4000);
      await write(4000, "another");
    },
  ],
  [
    "somebody has written over the changes",
    false,
    async ({ write, spoilChanges, pass }) => {
      await write(100);
      await spoilChanges();
      await pass(4000);
      await write(4000, "another");
    },
  ],
  [
    "the fill's clock has gone back, and the write is long ago",
    false,
    async ({ write, pass, setClock }) => {
      await write(100);
      await pass(4000);
      setClock(-500);
    },
  ],
  ["another URL was written to", true, ({ write }) => write(100, "another")],
])("a fill that arrives late, where %s: stored: %j", async (_, isStored, between) => {
  const run = open();
  const late = run.answer(0);
  await between(run);
  await run.put(late);
  const found = await run.found();
  expect(found === late.id, found).toBe(isStored);
});
