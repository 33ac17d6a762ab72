import { createEvents } from "../../src/events/events.ts";
import { Store } from "../../src/store/store.ts";
import type { Dice } from "./dice.ts";
import { testPlatform } from "./platform.ts";

/** What requests to a distant store have found. */
export interface Journey {
  /** ms of each request until it had the store's answer or went on without it. */
  waits: number[];
  /** Requests that went on without the store's answer. */
  gaveUp: number;
  /** How often the breaker opened. */
  openings: number;
}

/** ms between two requests. */
export const INTERVAL_MS = 200;

/** ms of one reply from a store at this distance, with 30 % jitter. */
export function delayAt(rttMs: number, { roll }: Dice): number {
  return rttMs * (0.7 + 0.6 * roll());
}

/** A reply whose body is there at once: that of a real Response takes a turn of the event loop, and time is virtual here. */
const READ = {
  ok: true,
  headers: new Headers({ "content-length": "19" }),
  text: async () => '[{"result":[null]}]',
} as Response;

/**
 * Requests, one each 200 ms, to a store at these distances. Virtual time, to 10 ms: nothing waits.
 *
 * @param distances ms of a round trip, for each request.
 */
export async function travel(distances: readonly number[], dice: Dice): Promise<Journey> {
  let rttMs = 0;
  const { store, platform, lost } = storeAfter((done) =>
    platform.timer(delayAt(rttMs, dice), () => done(READ)),
  );
  const journey: Journey = { waits: [], gaveUp: 0, openings: 0 };
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      platform.advance(10);
      await turn();
    }
  };
  for (const distance of distances) {
    rttMs = distance;
    const startedAt = platform.now();
    void ask(store).then((answered) => {
      journey.waits.push(platform.now() - startedAt);
      if (!answered) journey.gaveUp += 1;
    });
    await turn();
    await advance(INTERVAL_MS);
    void store.maintenance();
  }
  await advance(2000);
  return { ...journey, openings: lost() };
}

/** A store that has answered at once, and then hangs. @returns ms until the breaker opened, and how long requests waited. */
export async function hang(): Promise<{ noticedMs: number; waits: number[] }> {
  let hangs = false;
  const { store, platform } = storeAfter((done) => !hangs && done(READ));
  await ask(store);
  // After a cold start, in which calls may take longer.
  platform.advance(1300);
  hangs = true;
  const since = platform.now();
  const waits: number[] = [];
  while (store.reachable && platform.now() - since < 5000) {
    const startedAt = platform.now();
    void ask(store).then(() => waits.push(platform.now() - startedAt));
    await turn();
    for (let passed = 0; passed < INTERVAL_MS; passed += 10) {
      platform.advance(10);
      await turn();
    }
  }
  return { noticedMs: platform.now() - since, waits };
}

function storeAfter(answer: (done: (response: Response) => void) => unknown) {
  const platform = testPlatform({ fetch: () => new Promise((resolve) => void answer(resolve)) });
  let losses = 0;
  const events = createEvents({
    platform,
    write: (_level, line) => {
      if (line.includes('"store.lost"')) losses += 1;
    },
  });
  const connection = { url: "https://store.example", token: "a-token-of-the-test" };
  return { store: new Store({ connection, platform, events }), platform, lost: () => losses };
}

/** Sends a batch that reads one key and that a request waits for. @returns whether it was answered in time. */
async function ask(store: Store): Promise<boolean> {
  const batch = store.batch(() => {});
  void batch.read("a");
  await batch.send();
  return batch.error === undefined;
}

async function turn(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await undefined;
}
