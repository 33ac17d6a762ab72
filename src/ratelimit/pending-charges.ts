import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Counter, Counts } from "./algorithms/algorithm.ts";
import { algorithmOf } from "./algorithms/algorithms.ts";
import { type Charge, counterName } from "./charge.ts";
import { entryBytes } from "./stored-counts.ts";

export interface PendingChargesOptions {
  platform: Pick<Platform, "now">;
  /** Most counters with pending units. */
  entries: number;
  /** Most bytes of them, about. */
  bytes: number;
}

/** Units of one counter that were admitted without Redis. */
export interface PendingCharge {
  charge: Charge;
  pending: Counts;
}

/** Moments that are kept of one caller's pending units in an exact log. */
const MAX_MOMENTS = 64;

/** What this isolate admitted in an outage and Redis has certainly not counted. */
export class PendingCharges {
  readonly #platform: Pick<Platform, "now">;
  readonly #pending: BoundedMap<PendingCharge>;

  constructor({ platform, entries, bytes }: PendingChargesOptions) {
    this.#platform = platform;
    this.#pending = new BoundedMap({
      platform,
      entries,
      bytes,
      sizeOf: ({ charge, pending }, name) =>
        entryBytes(name, algorithmOf(charge.policy).pending.bytes(pending)),
      whenFull: "refuse",
    });
  }

  get size(): number {
    return this.#pending.size;
  }

  get bytes(): number {
    return this.#pending.bytes;
  }

  /** Adds the cost of a charge, at this moment. */
  add(charge: Charge): void {
    const { policy, cost } = charge;
    const before = this.#pending.get(counterName(charge))?.pending;
    this.#keep(charge, algorithmOf(policy).pending.add(policy, before, this.#platform.now(), cost));
  }

  /** Removes and returns the pending units of at most `most` counters, as charges. Units that have lapsed are dropped. */
  take(most: number): { charge: Charge; taken: PendingCharge }[] {
    const now = this.#platform.now();
    const taken: PendingCharge[] = [];
    for (const [name, each] of this.#pending) {
      if (taken.length === most) break;
      this.#pending.delete(name);
      taken.push(each);
    }
    return taken.flatMap((each) => {
      const { policy } = each.charge;
      const units = algorithmOf(policy).pending.units(policy, each.pending, now);
      return units > 0 ? [{ charge: { ...each.charge, cost: units, most: units }, taken: each }] : [];
    });
  }

  /** Puts back what {@link take} returned, beside what was added since. */
  restore({ charge, pending }: PendingCharge): void {
    const since = this.#pending.get(counterName(charge))?.pending;
    this.#keep(charge, since ? algorithmOf(charge.policy).pending.join(pending, since) : pending);
  }

  forget(counter: Counter): void {
    this.#pending.delete(counterName(counter));
  }

  #keep(charge: Charge, pending: Counts): void {
    const { policy } = charge;
    const units = algorithmOf(policy).pending;
    const keep = (kept: Counts) =>
      this.#pending.set(
        counterName(charge),
        { charge, pending: kept },
        units.lapsesAt(policy, kept, this.#platform.now()),
      );
    // `set` has removed the old value to make room: as one moment all of it fits again.
    if (!keep(units.coarser(pending, MAX_MOMENTS))) keep(units.coarser(pending, 1));
  }
}
