import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import type { EntryAddress, EntryStore } from "./entry-store.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";

/** A URL whose entries are invalid, or stale. */
export interface Invalidation {
  address: EntryAddress;
  soft: boolean;
}

export interface InvalidationsOptions {
  platform: Pick<Platform, "now">;
  memory: MemoryEntryStore;
  /** The store that all isolates share; null where there is none. */
  shared: EntryStore | null;
}

const MAX_PENDING = 1000;

/**
 * What unsafe methods made invalid (RFC 9111 §4.4), and a HEAD stale (§4.3.5): a time in the URL's own hash in Redis, read
 * with every search there. Unlike a purge it is in no log: however many URLs are written to, nothing else is forgotten.
 */
export class Invalidations {
  readonly #options: InvalidationsOptions;
  /** Written when Redis is back. */
  readonly #pending: Outbox<Invalidation>;

  constructor(options: InvalidationsOptions) {
    const { platform } = options;
    this.#options = options;
    this.#pending = new Outbox({
      platform,
      entries: MAX_PENDING,
      // With the time of now, here too: what others stored since may be what was to go.
      write: (batch, invalidation) => {
        this.add(invalidation);
        return this.#queue(batch, invalidation, platform.now());
      },
    });
  }

  /** Applies an invalidation in this isolate; {@link write} applies it for the others. */
  add(invalidation: Invalidation): void {
    const { memory, platform } = this.#options;
    memory.invalidate(invalidation.address, timesOf(invalidation, platform.now()));
  }

  /**
   * Queues an invalidation for the shared store. One that does not arrive is kept for a later {@link replay}.
   *
   * @param at When the entries became invalid or stale, ms since the epoch.
   * @returns false where there is no room to keep it.
   */
  async write(batch: Batch, invalidation: Invalidation, at: number): Promise<boolean> {
    const { address, soft } = invalidation;
    try {
      await this.#queue(batch, invalidation, at);
      return true;
    } catch {
      const until = this.#options.platform.now() + MAX_LIFE_MS;
      return this.#pending.put(`${soft ? "soft" : "hard"} ${address.sharedKey}`, invalidation, until);
    }
  }

  replay(batch: Batch) {
    return this.#pending.replay(batch);
  }

  async #queue(batch: Batch, invalidation: Invalidation, at: number): Promise<void> {
    await this.#options.shared?.invalidate(invalidation.address, timesOf(invalidation, at), batch);
  }
}

function timesOf({ soft }: Invalidation, at: number) {
  return soft ? { hard: 0, soft: at } : { hard: at, soft: 0 };
}
