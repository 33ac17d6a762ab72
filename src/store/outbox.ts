import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "./batch.ts";
import type { ReplayOutcome } from "./recovery.ts";

export interface OutboxOptions<Item> {
  platform: Pick<Platform, "now">;
  /** Most items kept; beyond it newcomers are refused. */
  entries: number;
  /** Most bytes of them, by `sizeOf`. Default: not counted. */
  bytes?: number;
  /** Bytes of one item, name included. Default 0. */
  sizeOf?(item: Item, name: string): number;
  /** Queues an item's write. It may run twice and must do no more than once. */
  write(batch: Batch, item: Item, name: string): Promise<unknown>;
}

/** What one batch carries of it: well within Upstash's 10 MB a request, and soon done. */
const ITEMS_PER_TRIP = 100;
const BYTES_PER_TRIP = 256 * 1024;

/** Writes that Redis has not got: each is kept until Redis has said that it arrived, or nobody needs it any more. */
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

  /** @param expiresAt When it is of no use any more, ms since the epoch. @returns false where there is no room. */
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
   * Queues the oldest, as many as a batch should carry. What is refused goes to the end, so that it is in nobody's way.
   *
   * @returns what is left, once the batch is back.
   */
  async replay(batch: Batch): Promise<ReplayOutcome> {
    const going: Promise<void>[] = [];
    let bytes = 0;
    let refused = false;
    for (const [name, kept] of this.#items) {
      if (going.length === ITEMS_PER_TRIP || (bytes > 0 && bytes + kept.size > BYTES_PER_TRIP)) break;
      bytes += kept.size;
      const settle = (arrived: boolean) => {
        if (!arrived) refused = true;
        if (this.#items.get(name) !== kept) return;
        this.#items.delete(name);
        if (!arrived) this.#items.set(name, kept, kept.expiresAt);
      };
      going.push(
        this.#options.write(batch, kept.item, name).then(
          () => settle(true),
          () => settle(false),
        ),
      );
    }
    await Promise.all(going);
    if (refused) return "refused";
    return this.#items.size > 0 ? "more" : "done";
  }
}
