import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Counter, Counts, Quota } from "./algorithms/algorithm.ts";
import { algorithmOf, available } from "./algorithms/algorithms.ts";
import { type Charge, type Charged, counterName, type Entry } from "./charge.ts";
import type { LimitStore } from "./limit-store.ts";
import { type StoredCounts, storedBytes } from "./stored-counts.ts";

export interface MemoryLimitBounds {
  /** Most counters. Default 50 000. */
  entries?: number;
  /** Most bytes of them, about. Default 16 MiB. */
  bytes?: number;
  /** Most policies whose strangers share a counter. Default 1000. */
  overflows?: number;
}

export interface MemoryLimitStoreOptions {
  platform: Pick<Platform, "now">;
  bounds?: MemoryLimitBounds | undefined;
  /** The last counts that Redis told of: counting goes on from there. Default none. */
  seen?(counter: Counter): Counts | undefined;
}

/**
 * The local limit store: the same algorithms over the isolate's own counters, for when Redis does not answer or is not
 * wanted.
 *
 * Its map never drops a live counter: otherwise a flood of made-up callers would push the real ones out, and their limits
 * would begin anew. When it is full, callers without a counter share one per policy.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #options: MemoryLimitStoreOptions;
  readonly #counters: BoundedMap<StoredCounts>;
  readonly #overflows: BoundedMap<StoredCounts>;

  constructor(options: MemoryLimitStoreOptions) {
    const { platform, bounds = {} } = options;
    const { entries = 50_000, bytes = 16 * 1024 * 1024, overflows = 1000 } = bounds;
    this.#options = options;
    const shared = { platform, bytes, sizeOf: storedBytes, whenFull: "refuse" } as const;
    this.#counters = new BoundedMap({ ...shared, entries });
    this.#overflows = new BoundedMap({ ...shared, entries: overflows });
  }

  get size(): number {
    return this.#counters.size + this.#overflows.size;
  }

  get bytes(): number {
    return this.#counters.bytes + this.#overflows.bytes;
  }

  charge(charges: readonly Charge[]): Charged {
    const now = this.#options.platform.now();
    const slots = charges.map((charge) => this.#slot(charge, now));
    const rooms = charges.map(({ policy, cost }, index) => {
      const slot = slots[index];
      const room = slot ? available(policy, slot.counts, now) : 0;
      return room >= cost ? room : null;
    });
    let admitted = charges.every(({ enforced }, index) => !enforced || rooms[index] !== null);
    const entries: Entry[] = charges.map(({ policy, cost }, index) => {
      const counts = slots[index]?.counts ?? exhausted(policy, now);
      return { counts, taken: 0, short: available(policy, counts, now) < cost };
    });
    if (!admitted) return { admitted, entries, at: now };

    for (const [index, { policy, cost, most, enforced }] of charges.entries()) {
      const slot = slots[index];
      const entry = entries[index];
      const room = rooms[index] ?? null;
      if (!slot || !entry || room === null) continue;
      const taken = Math.max(cost, Math.min(room, most));
      const counts = algorithmOf(policy).take(policy, slot.counts, now, taken);
      if (slot.keep(counts)) {
        entries[index] = { counts, taken, short: false };
      } else {
        // No byte left for one more run: what cannot be counted is not admitted.
        entries[index] = { ...entry, short: true };
        if (enforced) admitted = false;
      }
    }
    return { admitted, entries, at: now };
  }

  /** Counts of this store, else those that Redis told of. */
  peek(counter: Counter): Counts {
    const { platform, seen } = this.#options;
    const { policy } = counter;
    return (
      this.#counters.get(counterName(counter))?.counts ??
      seen?.(counter) ??
      algorithmOf(policy).empty(policy, platform.now())
    );
  }

  reset(counters: readonly Counter[]): void {
    for (const counter of counters) this.#counters.delete(counterName(counter));
  }

  #slot(charge: Charge, now: number) {
    const seen = this.#options.seen?.(charge);
    const { policy } = charge;
    const algorithm = algorithmOf(policy);
    const name = counterName(charge);
    const known = this.#counters.get(name)?.counts;
    if (known) {
      const counts = seen ? algorithm.stricter(policy, known, seen, now) : algorithm.at(policy, known, now);
      return this.#counter(this.#counters, policy, name, counts, known, now);
    }
    const counts = seen ? algorithm.at(policy, seen, now) : algorithm.empty(policy, now);
    if (keepIn(this.#counters, policy, name, counts, now)) {
      return this.#counter(this.#counters, policy, name, counts, counts, now);
    }
    const shared = this.#overflows.get(policy.id)?.counts ?? algorithm.empty(policy, now);
    if (!keepIn(this.#overflows, policy, policy.id, shared, now)) return undefined;
    const current = algorithm.at(policy, shared, now);
    return this.#counter(this.#overflows, policy, policy.id, current, shared, now);
  }

  #counter(
    map: BoundedMap<StoredCounts>,
    quota: Quota,
    name: string,
    counts: Counts,
    before: Counts,
    now: number,
  ) {
    const keep = (next: Counts) => {
      if (keepIn(map, quota, name, next, now)) return true;
      // `set` has dropped the old value to make room: it was there before and fits again.
      keepIn(map, quota, name, before, now);
      return false;
    };
    return { counts, keep };
  }
}

/** @returns false when the map is full. */
function keepIn(map: BoundedMap<StoredCounts>, quota: Quota, name: string, counts: Counts, now: number) {
  return map.set(name, { quota, counts }, algorithmOf(quota).lapsesAt(quota, counts, now));
}

/** Counts without any room, for a caller who cannot be counted at all. */
function exhausted(quota: Quota, now: number): Counts {
  const algorithm = algorithmOf(quota);
  return algorithm.take(quota, algorithm.empty(quota, now), now, quota.limit);
}
