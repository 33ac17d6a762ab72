import { BoundedMap } from "../runtime/bounded-map.ts";
import { networksOf } from "../runtime/ip-address.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Counter, Counts, Quota } from "./algorithms/algorithm.ts";
import { algorithmOf, available } from "./algorithms/algorithms.ts";
import { type Charge, type Charged, counterName, type Entry } from "./charge.ts";
import type { LimitStore } from "./limit-store.ts";
import { aloneBeside } from "./local-share.ts";
import { type StoredCounts, storedBytes } from "./stored-counts.ts";

export interface MemoryLimitBounds {
  /** Most counters. Default 50 000. */
  entries?: number;
  /** Most bytes of them, about. Default 16 MiB. */
  bytes?: number;
  /** Most counters that newcomers of one network share, for narrow and for wide networks each. Default 10 000. */
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
 * would begin anew. When it is full, callers without a counter share one with their network (IPv4 /24, IPv6 /48). When there is
 * no room for one more of these, they share one with the wider network (/16, /32), and at last one per policy. So an attacker
 * with one network, however many addresses it has, uses up that network's counter and no other's.
 */
export class MemoryLimitStore implements LimitStore {
  readonly #options: MemoryLimitStoreOptions;
  readonly #counters: BoundedMap<StoredCounts>;
  /** By narrow network, by wide network, by policy. */
  readonly #overflows: readonly BoundedMap<StoredCounts>[];

  constructor(options: MemoryLimitStoreOptions) {
    const { platform, bounds = {} } = options;
    const { entries = 50_000, bytes = 16 * 1024 * 1024, overflows = 10_000 } = bounds;
    this.#options = options;
    const kept = { platform, sizeOf: storedBytes, whenFull: "refuse" } as const;
    this.#counters = new BoundedMap({ ...kept, entries, bytes });
    this.#overflows = [overflows, overflows, MAX_POLICIES].map(
      (most) => new BoundedMap({ ...kept, entries: most, bytes: bytes / 8 }),
    );
  }

  get size(): number {
    return this.#counters.size + sumOf(this.#overflows.map(({ size }) => size));
  }

  get bytes(): number {
    return this.#counters.bytes + sumOf(this.#overflows.map((map) => map.bytes));
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
    for (const counter of counters)
      for (const each of [counter, aloneBeside(counter)]) this.#counters.delete(counterName(each));
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
    // Whom Redis has refused is not let in by a counter of others.
    if (seen && available(policy, counts, now) < charge.cost) return { counts, keep: () => false };
    return this.#sharedSlot(charge, now);
  }

  /** The counter of a caller who finds no room for one of its own. */
  #sharedSlot({ policy, address }: Charge, now: number) {
    const algorithm = algorithmOf(policy);
    const [narrow, wide] = address === undefined ? [] : networksOf(address);
    for (const [index, network] of [narrow, wide, ""].entries()) {
      const map = this.#overflows[index];
      if (!map || network === undefined) continue;
      const name = `${policy.id}|${network}`;
      const shared = map.get(name)?.counts ?? algorithm.empty(policy, now);
      if (!keepIn(map, policy, name, shared, now)) continue;
      return this.#counter(map, policy, name, algorithm.at(policy, shared, now), shared, now);
    }
    return undefined;
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

/** Policies whose newcomers share one counter at last. */
const MAX_POLICIES = 1000;

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
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
