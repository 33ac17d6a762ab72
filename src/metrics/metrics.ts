import type { Meter } from "../events/meter.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { WaitUntil } from "../store/client.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { Store } from "../store/store.ts";
import { Counts } from "./counts.ts";
import { createMeter } from "./gather.ts";
import type { Sums } from "./minutes.ts";
import { fold, minutesOf, readStored, type Stored } from "./stored.ts";
import { allOf, MAX_CALLERS } from "./totals.ts";
import { MetricsWriter } from "./writer.ts";
import { numberOf, textOf } from "./written.ts";

/** Bytes of an isolate's counts, about, as they are written: some 200 combinations of labels, of them 100 with histograms. */
const ISOLATE_BYTES = 24_000;

/** Where a request's writes for after its response are added. */
interface Deferred {
  add(work: (batch: Batch) => void): void;
}

/** What a scrape is answered with. */
export interface Scraped {
  counts: Counts;
  /** Isolates whose counts are not in the totals yet; null where the counts are this isolate's alone. */
  isolates: number | null;
  /** The store did not answer: it is not only that a command of it was refused. */
  lost: boolean;
}

/** What was counted lately. */
export interface Recent extends Scraped {
  /** From when on {@link counts} has it, ms since the epoch; null: all there is. */
  since: number | null;
  /** By minute since the epoch; null where only this isolate's counts are known. */
  minutes: ReadonlyMap<number, Sums> | null;
}

/** What an isolate counts, and what all of them have counted. */
export interface Metrics {
  /** Counts in the isolate. */
  readonly meter: Meter;
  /**
   * Writes what was counted once the response is ready, at most every 10 s, with what the request writes anyway. Add it before the
   * deferred work starts.
   */
  writeAfter(request: { deferred: Deferred; waitUntil: WaitUntil }): void;
  /**
   * All counts that were written, by one call to the store; this isolate's alone where the store does not answer. It never throws.
   *
   * @param waitUntil Gets what is to be tidied in the store.
   */
  scrape(waitUntil: WaitUntil): Promise<Scraped>;
  /**
   * The same without what was counted before: the counts begin at the last moment before `since` of which all is known.
   *
   * @param since ms since the epoch.
   */
  recent(since: number, waitUntil: WaitUntil): Promise<Recent>;
}

/** @param store Opened afterwards by the caller: the meter counts its calls too. */
export function createMetrics({ store, keys, platform }: MetricsOptions): Metrics {
  const counts = new Counts(ISOLATE_BYTES, MAX_CALLERS);
  let writer: MetricsWriter | undefined;
  const openBatch = () => store().batch();
  return {
    meter: createMeter(counts),
    writeAfter({ deferred, waitUntil }) {
      writer ??= new MetricsWriter({ counts, store: store(), keys, platform });
      const own = writer;
      // The batch is sent once it is queued: nothing there may wait for the reply.
      if (own.takeTurn()) deferred.add((batch) => waitUntil(own.write(batch)));
    },
    async scrape(waitUntil) {
      const stored = await read(waitUntil);
      if (stored instanceof StoreError) return alone(stored);
      return { counts: allOf(stored), isolates: stored.isolates.size, lost: false };
    },
    async recent(since, waitUntil) {
      const stored = await read(waitUntil, since);
      if (stored instanceof StoreError) return { ...alone(stored), since: null, minutes: null };
      const all = allOf(stored);
      const { snapshot } = stored;
      const isKnown = snapshot !== null && all.takeOff(textOf(snapshot));
      return {
        counts: all,
        isolates: stored.isolates.size,
        lost: false,
        since: isKnown ? numberOf(snapshot) : null,
        minutes: minutesOf(stored),
      };
    },
  };

  function alone({ code }: StoreError): Scraped {
    return { counts, isolates: null, lost: code !== "command" && code !== "size" };
  }

  async function read(waitUntil: WaitUntil, since?: number): Promise<Stored | StoreError> {
    try {
      const stored = await readStored(openBatch, keys, platform.now(), since);
      waitUntil(folded(stored));
      return stored;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return error;
    }
  }

  async function folded(stored: Stored): Promise<void> {
    await fold(openBatch, keys, stored).catch(() => {});
  }
}

export interface MetricsOptions {
  store(): Store;
  keys: Keys;
  platform: Pick<Platform, "now" | "randomBytes">;
}
