import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import type { EntryAddress, EntryStore, Withdrawal } from "./entry-store.ts";
import type { MemoryEntryStore } from "./memory-entry-store.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";

/** A URL whose entries are invalid, or stale. */
export interface Invalidation {
  address: EntryAddress;
  soft: boolean;
}

/** A variant that the origin has withdrawn: other variants and other audiences are not concerned. */
export interface VariantWithdrawal {
  address: EntryAddress;
  withdrawal: Withdrawal;
}

export interface InvalidationsOptions {
  platform: Pick<Platform, "now">;
  memory: MemoryEntryStore;
  /** The store that all isolates share; null where there is none. */
  shared: EntryStore | null;
}

/** Changes that wait, and bytes of their URLs and names. */
const MAX_PENDING = 1000;
const MAX_PENDING_BYTES = 4 * 1024 * 1024;

/**
 * What unsafe methods made invalid (RFC 9111 §4.4), a HEAD stale (§4.3.5), and what the origin has withdrawn: a time in the
 * URL's own hash in Redis, read with every search there. Unlike a purge it is in no log: however many URLs are written to, nothing else is forgotten.
 */
export class Invalidations {
  readonly #options: InvalidationsOptions;
  /** Written when Redis is back. */
  readonly #pending: Outbox<Invalidation | VariantWithdrawal>;

  constructor(options: InvalidationsOptions) {
    const { platform } = options;
    this.#options = options;
    this.#pending = new Outbox({
      platform,
      entries: MAX_PENDING,
      bytes: MAX_PENDING_BYTES,
      // A variant stands in the name as well.
      sizeOf: ({ address }, name) => 2 * (address.url.length + 2 * name.length) + 1024,
      // With the time of now, here too: what others stored since may be what was to go. A withdrawal has its own time.
      write: (batch, change) => {
        this.add(change);
        return this.#queue(batch, change, platform.now());
      },
    });
  }

  /** Applies a change in this isolate; {@link write} applies it for the others. */
  add(change: Invalidation | VariantWithdrawal): void {
    const { memory, platform } = this.#options;
    if ("withdrawal" in change) memory.withdraw(change.address, change.withdrawal);
    else memory.invalidate(change.address, timesOf(change, platform.now()));
  }

  /**
   * Queues a change for the shared store. One that does not arrive is kept for a later {@link replay}.
   *
   * @param at When the entries became invalid or stale, ms since the epoch.
   * @returns false where there is no room to keep it.
   */
  async write(batch: Batch, change: Invalidation | VariantWithdrawal, at: number): Promise<boolean> {
    try {
      await this.#queue(batch, change, at);
      return true;
    } catch {
      return this.#pending.put(nameOf(change), change, this.#options.platform.now() + MAX_LIFE_MS);
    }
  }

  replay(batch: Batch) {
    return this.#pending.replay(batch);
  }

  async #queue(batch: Batch, change: Invalidation | VariantWithdrawal, at: number): Promise<void> {
    const { shared } = this.#options;
    if ("withdrawal" in change) await shared?.withdraw(change.address, change.withdrawal, batch);
    else await shared?.invalidate(change.address, timesOf(change, at), batch);
  }
}

function nameOf(change: Invalidation | VariantWithdrawal): string {
  const { address } = change;
  if ("withdrawal" in change) return `withdrawal ${address.key} ${change.withdrawal.variant}`;
  return `${change.soft ? "soft" : "hard"} ${address.sharedKey}`;
}

function timesOf({ soft }: Invalidation, at: number) {
  return soft ? { hard: 0, soft: at } : { hard: at, soft: 0 };
}
