import { expect, it } from "vitest";
import { bodyOf } from "../../../src/response-cache/body.ts";
import type { Entry } from "../../../src/response-cache/entry.ts";
import type { EntryAddress } from "../../../src/response-cache/entry-store.ts";
import { SharedWrites } from "../../../src/response-cache/shared-writes.ts";
import type { Batch } from "../../../src/store/batch.ts";
import { testPlatform } from "../../support/platform.ts";

const addressOf = (n: number): EntryAddress => ({
  url: `/${n}`,
  urlHash: `${n}`,
  key: `${n}`,
  sharedKey: `${n}`,
});

function open(delayMs = 5) {
  const platform = testPlatform();
  /** The requests' times of each call. */
  const calls: number[][] = [];
  const done: string[] = [];
  const taken = new Set<string>();
  const writes = new SharedWrites({
    platform,
    delayMs,
    store: {
      batch() {
        const queued: number[] = [];
        return {
          queued,
          send: async () => void (queued.length > 0 && calls.push(queued)),
        } as unknown as Batch;
      },
    },
    entries: {
      async put({ key }, { meta }, isNew, batch) {
        const queue = (on: Batch) => (on as unknown as { queued: number[] }).queued.push(meta.requestTime);
        queue(batch);
        if (taken.has(key)) return (again) => void queue(again);
        return isNew ? async () => void done.push(key) : null;
      },
    },
  });
  let count = 0;
  /** What a request adds. @returns what its invocation waits for. */
  function add({ bytes = 10, isNew = false } = {}): Promise<unknown>[] {
    count += 1;
    const works: Promise<unknown>[] = [];
    const meta = {
      status: 200,
      headers: [],
      requestTime: count,
      responseTime: count,
      vary: [],
      credentials: false,
    };
    const entry = { variant: "", id: `${count}`, meta, tags: [], body: bodyOf(new Uint8Array(bytes)) };
    writes.add({ address: addressOf(count), entry: entry as unknown as Entry, isNew }, (work) => {
      works.push(work);
    });
    return works;
  }
  return { platform, calls, done, taken, add };
}

it("what several requests write within 5 ms is one call, of the first one's invocation, each with its own time", async () => {
  const { platform, calls, add } = open();
  const first = add();
  platform.advance(2);
  const others = [...add(), ...add()];
  expect([first.length, others.length]).toEqual([1, 0]);
  platform.advance(2);
  expect(calls).toEqual([]);
  platform.advance(1);
  await Promise.all(first);
  expect(calls).toEqual([[1, 2, 3]]);
});

it("what comes later is another call", async () => {
  const { platform, calls, add } = open();
  const first = add();
  platform.advance(5);
  await Promise.all(first);
  const second = add();
  platform.advance(5);
  await Promise.all(second);
  expect(calls).toEqual([[1], [2]]);
});

it.each<[what: string, passed: number, takesOver: boolean]>([
  ["at once", 0, false],
  ["just before it counts as ended", 999, false],
  ["a second later", 1000, true],
  ["nine seconds later", 9000, true],
  ["by a clock that went back", -50, true],
])("an invocation that is ended before it has sent stops nobody: %s", async (_, passed, takesOver) => {
  const { platform, calls, add } = open();
  const { timer, now } = platform;
  platform.timer = () => () => {};
  expect(add()).toHaveLength(1);
  platform.timer = timer;
  if (passed < 0) platform.now = () => now() + passed;
  else platform.advance(passed);
  const works = add();
  expect(works).toHaveLength(takesOver ? 1 : 0);
  if (!takesOver) return;
  platform.advance(5);
  await Promise.all(works);
  expect(calls).toEqual([[1, 2]]);
});

it.each<[what: string, passed: number, isSent: boolean]>([
  ["a second", 1000, true],
  ["a little less than ten seconds", 9994, true],
  ["ten seconds by the time that it is sent", 9995, false],
  ["a minute", 60_000, false],
  ["ten minutes, as long as a write to its URL is told of", 600_000, false],
  ["a day", 86_400_000, false],
  ["a moment, by a clock that went back", -50, true],
  ["a minute back, by a clock that went back", -60_000, false],
])(
  "a write whose invocation was ended is sent with the next one, unless it has waited too long: %s",
  async (_, passed, isSent) => {
    const { platform, calls, add } = open();
    const { timer } = platform;
    platform.timer = () => () => {};
    add();
    platform.timer = timer;
    const { now } = platform;
    const clock = { ahead: 0 };
    platform.now = () => now() + clock.ahead;
    if (passed < 0) clock.ahead = passed;
    else platform.advance(passed);
    const works = add();
    expect(works).toHaveLength(1);
    platform.advance(5);
    await Promise.all(works);
    expect(calls).toEqual([isSent ? [1, 2] : [2]]);
  },
);

it.each<[what: string, bytes: number, held: number]>([
  ["sixty-four", 10, 64],
  ["a quarter of a MiB", 100_000, 3],
  ["one that is longer", 500_000, 1],
])("%s do not wait", async (_, bytes, held) => {
  const { calls, add } = open();
  const works = Array.from({ length: held }, () => add({ bytes }));
  expect(works.at(-1)?.length).toBe(1);
  await Promise.all(works.at(-1) ?? []);
  expect(calls.map((each) => each.length)).toEqual([held]);
});

it("what is left to do beside the call is done", async () => {
  const { platform, done, add } = open();
  const works = [...add({ isNew: true }), ...add(), ...add({ isNew: true })];
  platform.advance(5);
  await Promise.all(works);
  expect(done).toEqual(["1", "3"]);
});

it.each([1, 2, 63])(
  "of %i places that others took first, what is left to decide is one call",
  async (count) => {
    const { platform, calls, taken, add } = open();
    const names = Array.from({ length: count }, (_, index) => index + 1);
    for (const each of names) taken.add(`${each}`);
    const works = [...names, 0].flatMap(() => add());
    platform.advance(5);
    await Promise.all(works);
    expect(calls).toEqual([[...names, count + 1], names]);
  },
);

it("without a delay each write is a call", async () => {
  const { calls, add } = open(0);
  await Promise.all([...add(), ...add()]);
  expect(calls).toEqual([[1], [2]]);
});
