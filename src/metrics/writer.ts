import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { listIn, textOrNullIn } from "../store/replies.ts";
import type { Store } from "../store/store.ts";
import type { Counts } from "./counts.ts";
import {
  ENTER,
  FOLD_EVERY_MS,
  fold,
  MAX_FIELDS,
  MINUTE_MS,
  numbered,
  readStored,
  TOTALS_MS,
  UNFOLDED_MS,
  waitingField,
} from "./stored.ts";
import { numberOf, textOf } from "./written.ts";

export interface MetricsWriterOptions {
  counts: Counts;
  store: Store;
  keys: Keys;
  platform: Pick<Platform, "now" | "randomBytes">;
}

/** The least time between two writes of an isolate, ms. */
const WRITE_EVERY_MS = 10_000;
/** An id is written for so long after its last write that has certainly arrived, ms. Then others may count it as gone. */
const ID_LIVES_MS = MINUTE_MS;

/**
 * Writes what an isolate has counted, all of it since its id began, into a field of its own: so a write may be made twice, and one
 * that is lost is made up for by the next.
 *
 * Others add the counts of an id that is gone to the totals, and the id must not be written again then. After a minute without a write
 * the isolate takes a new id and counts on from what the old one has. Where it is not certain what that is, because a reply was lost, it
 * reads it first: the buckets are there for two hours at least.
 */
export class MetricsWriter {
  readonly #options: MetricsWriterOptions;
  #nextAt = Number.NEGATIVE_INFINITY;
  #id: string;
  #writes = 0;
  /** When the id was last written for certain, or first tried, ms since the epoch; null before. */
  #livesFrom: number | null = null;
  /** What it has for certain. */
  #written: string | null = null;
  /** Minutes into whose buckets it may have been written since. */
  readonly #doubts = new Set<number>();
  /** The minute in whose bucket it has a field. */
  #entered: number | null = null;
  #seenVersion = 0;

  constructor(options: MetricsWriterOptions) {
    this.#options = options;
    this.#id = this.#newId();
  }

  /** Whether to write now: something is new and the last write is ten seconds ago. A `true` is said once in that time. */
  takeTurn(): boolean {
    const { counts, store, platform } = this.#options;
    if (counts.version === this.#seenVersion || !store.reachable) return false;
    const now = platform.now();
    const waitMs = this.#nextAt - now;
    // A clock that went back must not delay it by as much.
    if (waitMs > 0 && waitMs <= WRITE_EVERY_MS) return false;
    this.#nextAt = now + WRITE_EVERY_MS;
    return true;
  }

  /** Queues the write before it returns, and ends with the reply. It never throws: what did not arrive is written the next time. */
  async write(batch: Batch): Promise<void> {
    try {
      const sinceMs = this.#livesFrom === null ? 0 : this.#options.platform.now() - this.#livesFrom;
      if (sinceMs >= 0 && sinceMs <= ID_LIVES_MS) return await this.#writeCounts(batch);
      if (this.#doubts.size > 0) return await this.#settleDoubts(batch);
      this.#takeNewId(this.#written);
      await this.#writeCounts(batch);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }

  async #writeCounts(batch: Batch): Promise<void> {
    const { counts, keys, platform, store } = this.#options;
    const now = platform.now();
    const { version } = counts;
    this.#writes += 1;
    const text = numbered(this.#writes, counts);
    this.#livesFrom ??= now;
    const [entered, turn] = await this.#send(batch, now, text);
    if (entered) {
      this.#livesFrom = now;
      this.#written = text;
      this.#entered = Math.floor(now / MINUTE_MS);
      this.#seenVersion = version;
      this.#doubts.clear();
    }
    const openBatch = () => store.batch();
    if (turn) await fold(openBatch, keys, await readStored(openBatch, keys, platform.now()));
  }

  /** @throws StoreError */
  async #send(batch: Batch, now: number, text: string): Promise<[entered: boolean, turn: boolean]> {
    const { keys } = this.#options;
    const minute = Math.floor(now / MINUTE_MS);
    const key = keys.metricMinute(minute);
    const id = this.#id;
    try {
      if (this.#entered === minute) {
        const written = batch.queue((pipeline) => pipeline.hset(key, { [id]: text }));
        batch.queue((pipeline) => pipeline.pexpire(key, UNFOLDED_MS)).catch(() => {});
        await written;
        return [true, false];
      }
      const args = [id, text, UNFOLDED_MS, MAX_FIELDS, FOLD_EVERY_MS, now, waitingField(minute), TOTALS_MS];
      const names = [key, keys.metricFold(), keys.metricTotals()];
      const [entered, turn] = listIn(await batch.run(ENTER, names, args));
      return [entered === 1, turn === 1];
    } catch (error) {
      if (error instanceof StoreError && !error.certainlyNotApplied) this.#doubts.add(minute);
      throw error;
    }
  }

  /** Finds out what the id has, and begins a new one from there. */
  async #settleDoubts(batch: Batch): Promise<void> {
    const { keys } = this.#options;
    const id = this.#id;
    const reading = [...this.#doubts].map((minute) =>
      batch.queue((pipeline) => pipeline.hget(keys.metricMinute(minute), id)).then(textOrNullIn),
    );
    const texts = [this.#written, ...(await Promise.all(reading))];
    const latest = texts.reduce((one, other) => (numberOf(other ?? "") > numberOf(one ?? "") ? other : one));
    this.#takeNewId(latest);
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }

  /** @param written What the old one has. */
  #takeNewId(written: string | null): void {
    const { counts } = this.#options;
    if (written !== null) {
      counts.takeOff(textOf(written));
      counts.denied.clear();
    }
    this.#id = this.#newId();
    this.#writes = 0;
    this.#livesFrom = null;
    this.#written = null;
    this.#entered = null;
    this.#doubts.clear();
  }

  #newId(): string {
    return hex(this.#options.platform.randomBytes(8));
  }
}
