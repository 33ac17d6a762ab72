import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Counter, Counts, Quota } from "./algorithms/algorithm.ts";
import { algorithmOf, available } from "./algorithms/algorithms.ts";
import { type Charge, type Charged, counterName, type Entry } from "./charge.ts";
import { type StoredCounts, storedBytes } from "./stored-counts.ts";

export interface MemoryLimitBounds {
  /** Most counters. Default 50 000. */
  entries?: number;
  /** Most bytes of them, about. Default 16 MiB. */
  bytes?: number;
  /** Most policies whose strangers share a counter. Default 1000. */
  overflows?: number;
}

/**
 * The local limit store: the same algorithms over the isolate's own counters, for when Redis does not answer or is not
 * wanted.
 *
 * Its map never drops a live counter: otherwise a flood of made-up callers would push the real ones out, and their limits
 * would begin anew. When it is full, callers without a counter share one per policy.
 */
export class MemoryLimitStore {
  readonly #counters: BoundedMap<StoredCounts>;
  readonly #overflows: BoundedMap<StoredCounts>;

  constructor(platform: Pick<Platform, "now">, bounds: MemoryLimitBounds = {}) {
    const { entries = 50_000, bytes = 16 * 1024 * 1024, overflows = 1000 } = bounds;
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

  /**
   * Charges all or none, like the script.
   *
   * @param seenOf The last raw counts that Redis told of a charge: counting goes on from there.
   */
  charge(charges: readonly Charge[], now: number, seenOf: (charge: Charge) => Counts | undefined): Charged {
    const slots = charges.map((charge) => this.#slot(charge, now, seenOf(charge)));
    const rooms = charges.map(({ policy, cost }, index) => {
      const slot = slots[index];
      return slot !== undefined && available(policy, slot.counts, now) >= cost;
    });
    let admitted = charges.every(({ enforced }, index) => !enforced || rooms[index]);
    const entries: Entry[] = charges.map(({ policy, cost }, index) => {
      const counts = slots[index]?.counts ?? exhausted(policy, now);
      return { counts, taken: 0, short: available(policy, counts, now) < cost };
    });
    if (!admitted) return { admitted, entries, at: now };

    for (const [index, { policy, cost, enforced }] of charges.entries()) {
      const slot = slots[index];
      const entry = entries[index];
      if (!slot || !entry || !rooms[index]) continue;
      const counts = algorithmOf(policy).take(policy, slot.counts, now, cost);
      if (slot.keep(counts)) {
        entries[index] = { counts, taken: cost, short: false };
      } else {
        // No byte left for one more run: what cannot be counted is not admitted.
        entries[index] = { ...entry, short: true };
        if (enforced) admitted = false;
      }
    }
    return { admitted, entries, at: now };
  }

  counts(counter: Counter): Counts | undefined {
    return this.#counters.get(counterName(counter))?.counts;
  }

  forget(counter: Counter): void {
    this.#counters.delete(counterName(counter));
  }

  #slot(charge: Charge, now: number, seen: Counts | undefined) {
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
