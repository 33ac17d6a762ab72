import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import {
  afterTaking,
  available,
  type Counts,
  countsAt,
  emptyCounts,
  lapsesAt,
  type Quota,
  stricter,
} from "./algorithms.ts";
import { type Charge, type Charged, counterName, type Entry } from "./charge.ts";

export interface MemoryLimitBounds {
  /** Most counters. Default 50 000. */
  entries?: number;
  /** Most bytes of them, about. Default 16 MiB. */
  bytes?: number;
  /** Most policies whose strangers share a counter. Default 1000. */
  overflows?: number;
}

const ENTRY_BYTES = 160;
const RUN_BYTES = 40;

/**
 * The local localStore: the same algorithms over the isolate's own counters, for when Redis does not answer or is not wanted.
 *
 * Its map never drops a live counter, or a flood of made-up callers would wash the real ones out and with them their
 * limits. When it is full, callers without a counter share one per policy.
 */
export class MemoryLimitStore {
  readonly #counters: BoundedMap<Counts>;
  readonly #overflows: BoundedMap<Counts>;

  constructor(platform: Pick<Platform, "now">, bounds: MemoryLimitBounds = {}) {
    const { entries = 50_000, bytes = 16 * 1024 * 1024, overflows = 1000 } = bounds;
    const sizeOf = countsSize;
    this.#counters = new BoundedMap({ platform, entries, bytes, sizeOf, whenFull: "refuse" });
    this.#overflows = new BoundedMap({
      platform,
      entries: overflows,
      bytes,
      sizeOf,
      whenFull: "refuse",
    });
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
   * @param seenOf The last raw counts that Redis told of a charge: the localStore goes on from there.
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
      const counts = afterTaking(policy, slot.counts, now, cost);
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

  counts(charge: Pick<Charge, "policy" | "caller">): Counts | undefined {
    return this.#counters.get(counterName(charge));
  }

  forget(charge: Pick<Charge, "policy" | "caller">): void {
    this.#counters.delete(counterName(charge));
  }

  #slot(charge: Charge, now: number, seen: Counts | undefined) {
    const { policy } = charge;
    const name = counterName(charge);
    const known = this.#counters.get(name);
    if (known) {
      const counts = seen ? stricter(policy, known, seen, now) : countsAt(policy, known, now);
      return this.#counter(this.#counters, policy, name, counts, known, now);
    }
    const counts = seen ? countsAt(policy, seen, now) : emptyCounts(policy, now);
    if (this.#counters.set(name, counts, lapsesAt(policy, counts, now))) {
      return this.#counter(this.#counters, policy, name, counts, counts, now);
    }
    const shared = this.#overflows.get(policy.id) ?? emptyCounts(policy, now);
    if (!this.#overflows.set(policy.id, shared, lapsesAt(policy, shared, now))) return undefined;
    return this.#counter(this.#overflows, policy, policy.id, countsAt(policy, shared, now), shared, now);
  }

  #counter(map: BoundedMap<Counts>, quota: Quota, name: string, counts: Counts, before: Counts, now: number) {
    const keep = (next: Counts) => {
      if (map.set(name, next, lapsesAt(quota, next, now))) return true;
      // `set` has dropped the old value to make room: it was there before and fits again.
      map.set(name, before, lapsesAt(quota, before, now));
      return false;
    };
    return { counts, keep };
  }
}

/** Bytes of a caller's counts in the isolate, about. */
export function countsSize(counts: Counts, key: string): number {
  return ENTRY_BYTES + 2 * key.length + (counts.kind === "log" ? RUN_BYTES * counts.runs.length : 0);
}

/** Counts without any room, for a caller who cannot be counted at all. */
function exhausted(quota: Quota, now: number): Counts {
  return afterTaking(quota, emptyCounts(quota, now), now, quota.limit);
}
