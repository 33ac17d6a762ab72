import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "./batch.ts";
import type { ReplayOutcome } from "./recovery.ts";

export interface OutboxOptions<Item> {
  platform: Pick<Platform, "now">;
  /** Most items kept; further ones are refused. */
  entries: number;
  /** Most bytes of them, by `sizeOf`. Default: not counted. */
  bytes?: number;
  /** Bytes of one item, name included. Default 0. */
  sizeOf?(item: Item, name: string): number;
  /** Queues an item's write. It must be idempotent: it may run twice. */
  write(batch: Batch, item: Item, name: string): Promise<unknown>;
}

/** How much of it one batch sends: well below Upstash's 10 MB a request, and soon done. */
const MAX_ITEMS_PER_BATCH = 100;
const MAX_BYTES_PER_BATCH = 256 * 1024;

/** Writes that Redis does not have yet. Each is kept until Redis has confirmed it, or until it has expired. */
export class Outbox<Item> {
  readonly #options: OutboxOptions<Item>;
  readonly #items: BoundedMap<{ item: Item; expiresAt: number; size: number }>;

  constructor(options: OutboxOptions<Item>) {
    this.#options = options;
    this.#items = new BoundedMap({ ...options, sizeOf: ({ size }) => size, whenFull: "refuse" });
  }

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#items.bytes;
  }

  /** @param expiresAt When nobody needs it any more, ms since the epoch. @returns false where there is no room. */
  put(name: string, item: Item, expiresAt: number): boolean {
    const size = this.#options.sizeOf?.(item, name) ?? 0;
    return this.#items.set(name, { item, expiresAt, size }, expiresAt);
  }

  get(name: string): Item | undefined {
    return this.#items.get(name)?.item;
  }

  delete(name: string): void {
    this.#items.delete(name);
  }

  clear(): void {
    this.#items.clear();
  }

  /** Oldest first. */
  *[Symbol.iterator](): IterableIterator<[string, Item]> {
    for (const [name, { item }] of this.#items) yield [name, item];
  }

  /**
   * Queues the oldest items, as many as a batch should send. A refused item moves to the end, so that it blocks no other.
   *
   * @returns what is left, once the batch has come back.
   */
  async replay(batch: Batch): Promise<ReplayOutcome> {
    const writes: Promise<void>[] = [];
    let bytes = 0;
    let refused = false;
    for (const [name, kept] of this.#items) {
      if (writes.length === MAX_ITEMS_PER_BATCH || (bytes > 0 && bytes + kept.size > MAX_BYTES_PER_BATCH))
        break;
      bytes += kept.size;
      const settle = (arrived: boolean) => {
        if (!arrived) refused = true;
        if (this.#items.get(name) !== kept) return;
        this.#items.delete(name);
        if (!arrived) this.#items.set(name, kept, kept.expiresAt);
      };
      writes.push(
        this.#options.write(batch, kept.item, name).then(
          () => settle(true),
          () => settle(false),
        ),
      );
    }
    await Promise.all(writes);
    if (refused) return "refused";
    return this.#items.size > 0 ? "more" : "done";
  }
}
