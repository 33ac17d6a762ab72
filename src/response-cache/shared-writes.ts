import { type Platform, sleep } from "../runtime/platform.ts";
import type { WaitUntil } from "../store/client.ts";
import type { Store } from "../store/store.ts";
import { type Entry, entrySize } from "./entry.ts";
import type { EntryAddress, EntryStore } from "./entry-store.ts";

/** An entry that is to be written for all isolates: plain data, so that another request's invocation may send it (law 4). */
interface EntryWrite {
  address: EntryAddress;
  entry: Entry;
  isNew: boolean;
}

interface WaitingWrite extends EntryWrite {
  /** Ms since the epoch. */
  addedAt: number;
}

export interface SharedWritesOptions {
  platform: Pick<Platform, "now" | "timer">;
  store: Pick<Store, "batch">;
  entries: Pick<EntryStore, "put">;
  /** Ms that a write waits for others; 0: each is sent at once. */
  delayMs: number;
}

/** Writes that wait, and their bytes: the next one sends them all. */
const MAX_WRITES = 64;
const MAX_BYTES = 256 * 1024;
/** An invocation that has not sent them in so many ms was ended: the next write is sent by its own. */
const GONE_AFTER_MS = 1000;
/**
 * What has waited longer, since no request came after its invocation was ended, is not sent, ms: of a write or a withdrawal that came
 * meanwhile there may be nothing left in the store that tells of it.
 */
const MAX_WAIT_MS = 10_000;

/**
 * Writes of entries, of all requests of an isolate, which share calls: one invocation waits a few ms and sends what has come
 * together. Nobody waits for them, and one that is lost is a miss later.
 */
export class SharedWrites {
  readonly #options: SharedWritesOptions;
  #writes: WaitingWrite[] = [];
  #bytes = 0;
  /** When an invocation began to wait, ms since the epoch; null where none does. */
  #waitingSince: number | null = null;

  constructor(options: SharedWritesOptions) {
    this.#options = options;
  }

  /** @param waitUntil That of the request: its invocation sends the writes, unless another waits to do so. */
  add(write: EntryWrite, waitUntil: WaitUntil): void {
    const { platform, delayMs } = this.#options;
    const now = platform.now();
    this.#writes.push({ ...write, addedAt: now });
    this.#bytes += entrySize(write.entry);
    const isFull = this.#writes.length >= MAX_WRITES || this.#bytes >= MAX_BYTES;
    if (isFull || delayMs === 0) {
      waitUntil(this.#send());
      return;
    }
    const waited = now - (this.#waitingSince ?? Number.NEGATIVE_INFINITY);
    if (waited >= 0 && waited < GONE_AFTER_MS) return;
    this.#waitingSince = now;
    waitUntil(
      sleep(platform, delayMs).then(() => {
        this.#waitingSince = null;
        return this.#send();
      }),
    );
  }

  async #send(): Promise<void> {
    const { platform, store, entries } = this.#options;
    const now = platform.now();
    const writes = this.#writes.filter(({ addedAt }) => Math.abs(now - addedAt) < MAX_WAIT_MS);
    this.#writes = [];
    this.#bytes = 0;
    if (writes.length === 0) return;
    const batch = store.batch();
    const putting = writes.map(({ address, entry, isNew }) => entries.put(address, entry, isNew, batch));
    const rests = await Promise.all(putting);
    await batch.send();
    const again = store.batch();
    const long = rests.map((rest) => rest?.(again));
    await Promise.all([...long, again.send()]);
  }
}
