import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Counter } from "./algorithms/algorithm.ts";
import { algorithmOf } from "./algorithms/algorithms.ts";
import { type Charge, counterName, type Entry } from "./charge.ts";

/** Units that Redis has counted already and this isolate may spend without asking. */
interface Lease {
  /** The window they were charged in: they lapse with it. */
  number: number;
  units: number;
  /** The counter in Redis right after our last charge. */
  counted: number;
  /** Until when they may be spent without a batch, ms since the epoch. */
  freshUntil: number;
  /** Another request is fetching more until then, ms since the epoch. */
  askingUntil: number;
}

/** While one request fetches a lease, others fetch none; where its call is lost, for at most this long, ms. */
const ASKING_MS = 2000;

export interface LeaseOptions {
  platform: Pick<Platform, "now">;
  /** Most ms between two batches of a caller. */
  maxAgeMs: number;
  /** Most leases held; the least recently used lapse first. */
  entries: number;
}

/** The leases of this isolate. A dropped lease loses its units: fewer requests are admitted, never more. */
export class Leases {
  readonly #leases: BoundedMap<Lease>;
  readonly #options: LeaseOptions;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#leases = new BoundedMap({
      platform: options.platform,
      entries: options.entries,
      whenFull: "evict",
    });
  }

  get size(): number {
    return this.#leases.size;
  }

  /** Units a charge could spend now. */
  units(charge: Charge, now: number): number {
    const lease = this.#lease(charge, now);
    return lease ? lease.units : 0;
  }

  /**
   * Spends the cost of all charges, or of none.
   *
   * @param stale Also units whose last batch is too long ago: for when there is no store to ask.
   */
  spend(charges: readonly Charge[], now: number, stale = false): boolean {
    const leases: Lease[] = [];
    for (const charge of charges) {
      const lease = this.#lease(charge, now);
      if (!lease || lease.units < charge.cost || !(stale || this.#isFresh(lease, now))) return false;
      leases.push(lease);
    }
    leases.forEach((lease, index) => {
      lease.units -= charges[index]?.cost ?? 0;
    });
    return true;
  }

  /**
   * How many units to take on a batch: the cost, and what is missing to a full lease, unless another request of this
   * isolate is fetching that already.
   */
  ask(charge: Charge, now: number): number {
    const { policy, cost } = charge;
    // Nobody may spend any without a batch: they would lapse, in each isolate.
    if (this.#options.maxAgeMs === 0) return cost;
    const number = Math.floor(now / policy.windowMs);
    const known = this.#lease(charge, now);
    if (known && isAhead(known.askingUntil, now, ASKING_MS)) return cost;
    const lease = known ?? { number, units: 0, counted: 0, freshUntil: 0, askingUntil: 0 };
    lease.askingUntil = now + ASKING_MS;
    if (!known) this.#leases.set(counterName(charge), lease, (number + 1) * policy.windowMs);
    return Math.max(cost, policy.lease - lease.units);
  }

  /** Keeps what a batch has taken above the cost. */
  deposit(charge: Charge, { counts, taken }: Entry, at: number): void {
    const { policy, cost } = charge;
    const counter = algorithmOf(policy).counter?.(counts);
    if (!counter) return;
    const known = this.#lease(charge, at);
    // A counter that is lower than after the last charge was reset, so its leased units do not count. Those of an older window have
    // lapsed.
    const kept =
      known && known.number === counter.number && counter.value - taken >= known.counted ? known.units : 0;
    const lease = {
      number: counter.number,
      units: kept + Math.max(0, taken - cost),
      counted: counter.value,
      freshUntil: at + this.#options.maxAgeMs,
      askingUntil: 0,
    };
    this.#leases.set(counterName(charge), lease, (counter.number + 1) * policy.windowMs);
  }

  forget(counter: Counter): void {
    this.#leases.delete(counterName(counter));
  }

  #isFresh({ freshUntil }: Lease, now: number): boolean {
    return isAhead(freshUntil, now, this.#options.maxAgeMs);
  }

  #lease(charge: Charge, now: number): Lease | undefined {
    const lease = this.#leases.get(counterName(charge));
    return lease && lease.number === Math.floor(now / charge.policy.windowMs) ? lease : undefined;
  }
}

/** Whether `until` is in the future, by at most `mostMs`. A later moment was computed while the clock was ahead. */
function isAhead(until: number, now: number, mostMs: number): boolean {
  return now < until && until <= now + mostMs;
}
