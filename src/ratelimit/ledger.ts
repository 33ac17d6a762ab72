import { hex } from "../hex.ts";
import type { Platform } from "../platform.ts";
import { BoundedMap, type Keys, type Trip } from "../store/index.ts";
import { afterTaking, type Counts, countsAt, emptyCounts, lapsesAt, passesAt } from "./algorithms.ts";
import { type Charge, type Charged, counterName } from "./charge.ts";
import { Leases } from "./leases.ts";
import { chargeByLibrary } from "./library.ts";
import { Twin, type TwinBounds } from "./local.ts";
import { chargeByScript, counterKeys } from "./script.ts";

export interface LedgerBounds extends TwinBounds {
  /** Most callers' last counts, leases and blocks kept, each. Default 10 000. */
  remembered?: number;
  /** Most callers whose requests in an outage are kept to be counted later. Default 10 000. */
  owed?: number;
}

export interface LedgerOptions {
  platform: Platform;
  keys: Keys;
  /** Most ms the isolate decides on its own after a trip. */
  isolateMaxAgeMs: number;
  bounds?: LedgerBounds | undefined;
}

/** A caller who is refused without a trip. */
interface Block {
  /** ms since the epoch. */
  until: number;
  counts: Counts;
}

/** Moments that are kept of what one caller is owed in an exact log. */
const OWED_RUNS = 64;

/** Windows that one run of the script counts after an outage: their keys must fit its stack with room to spare. */
const REPLAY_CHUNK = 50;
/** Windows that one trip counts then. */
const REPLAY_TRIP = 500;

/**
 * Every change of a count, wherever it lives, is made here: nothing else in this room calls the script, the library, the
 * leases or the twin. The table is in `index.ts`.
 */
export class Ledger {
  readonly #platform: Platform;
  readonly #keys: Keys;
  readonly #isolateMaxAgeMs: number;
  readonly #seen: BoundedMap<Counts>;
  readonly #blocks: BoundedMap<Block>;
  readonly #owed: BoundedMap<{ charge: Charge; counts: Counts }>;
  readonly #leases: Leases;
  readonly #twin: Twin;

  constructor({ platform, keys, isolateMaxAgeMs, bounds = {} }: LedgerOptions) {
    const { remembered = 10_000, owed = 10_000 } = bounds;
    this.#platform = platform;
    this.#keys = keys;
    this.#isolateMaxAgeMs = isolateMaxAgeMs;
    this.#seen = new BoundedMap({ platform, entries: remembered, whenFull: "evict" });
    this.#blocks = new BoundedMap({ platform, entries: remembered, whenFull: "evict" });
    this.#owed = new BoundedMap({ platform, entries: owed, whenFull: "refuse" });
    this.#leases = new Leases({ platform, maxAgeMs: isolateMaxAgeMs, entries: remembered });
    this.#twin = new Twin(platform, bounds);
  }

  /** Entries per map: each is bounded. */
  get sizes() {
    return {
      counters: this.#twin.size,
      counterBytes: this.#twin.bytes,
      seen: this.#seen.size,
      blocks: this.#blocks.size,
      leases: this.#leases.size,
      owed: this.#owed.size,
    };
  }

  /**
   * Queues the charges on the trip: at once, before anything is awaited.
   *
   * @returns what became of them. Rejects with a StoreError in an outage; being limited is a value.
   */
  charge(trip: Trip, charges: readonly Charge[]): Promise<Charged> {
    const now = this.#platform.now();
    const [only] = charges;
    const plain =
      charges.length === 1 &&
      only?.policy.algorithm === "sliding-window" &&
      only.cost === 1 &&
      only.policy.lease === 0;
    if (plain) return this.#settle(charges, chargeByLibrary(trip, this.#keys, only));
    const leased = charges.every(({ policy }) => policy.lease > 0);
    const asked = leased
      ? charges.map((charge) => ({ ...charge, most: this.#leases.ask(charge, now) }))
      : charges;
    const call = { keys: this.#keys, charges: asked, now, nonce: this.#nonce(charges) };
    return this.#settle(charges, chargeByScript(trip, call));
  }

  /** Spends units that Redis has counted before. Only a request all of whose windows are leased can do without a trip. */
  spendLease(charges: readonly Charge[], options: { stale?: boolean } = {}): boolean {
    return this.#leases.spend(charges, this.#platform.now(), options.stale);
  }

  leased(charge: Charge): number {
    return this.#leases.units(charge, this.#platform.now());
  }

  /** The enforced windows that still refuse this cost, from an earlier trip's counts. */
  blocked(charges: readonly Charge[]): Charge[] {
    const now = this.#platform.now();
    return charges.filter(
      (charge) => charge.enforced && (this.#blocks.get(blockName(charge))?.until ?? 0) > now,
    );
  }

  /** Counts in the isolate, going on from what Redis last said. */
  chargeTwin(charges: readonly Charge[]): Charged {
    return this.#twin.charge(charges, this.#platform.now(), (charge) => this.#seen.get(counterName(charge)));
  }

  /** The counts this isolate knows without asking. */
  known(charge: Pick<Charge, "policy" | "caller">): Counts | undefined {
    return this.#twin.counts(charge) ?? this.#seen.get(counterName(charge));
  }

  /** The last counts that Redis told of, or those a block rests on. */
  lastSeen(charge: Charge): Counts | undefined {
    return this.#seen.get(counterName(charge)) ?? this.#blocks.get(blockName(charge))?.counts;
  }

  /**
   * Keeps requests that the twin admitted while the store was known to be lost, so that they can be counted when it is
   * back. Never for a trip that went out: it may have been counted.
   */
  owe(charges: readonly Charge[], { entries }: Charged): void {
    const now = this.#platform.now();
    charges.forEach((charge, index) => {
      if (!entries[index]?.taken) return;
      const quota = owedQuota(charge);
      const name = counterName(charge);
      const before = this.#owed.get(name)?.counts ?? emptyCounts(quota, now);
      const counts = coarse(afterTaking(quota, before, now, charge.cost));
      this.#owed.set(name, { charge, counts }, lapsesAt(quota, counts, now));
    });
  }

  /**
   * Queues what is owed, once: forgotten before it is sent, so that it can never be sent again.
   *
   * @returns whether there is more for another trip.
   */
  replay(trip: Trip): boolean {
    const now = this.#platform.now();
    const charges: Charge[] = [];
    for (const [name, { charge, counts }] of this.#owed) {
      if (charges.length === REPLAY_TRIP) break;
      this.#owed.delete(name);
      const units = owedUnits(charge, counts, now);
      if (units > 0) charges.push({ ...charge, cost: units, most: units });
    }
    for (let from = 0; from < charges.length; from += REPLAY_CHUNK) {
      const chunk = charges.slice(from, from + REPLAY_CHUNK);
      const call = { keys: this.#keys, charges: chunk, now, nonce: this.#nonce(chunk), force: true };
      chargeByScript(trip, call).catch(() => {});
    }
    return this.#owed.size > 0;
  }

  /** Deletes a caller's counters of these policies: exact keys, in Redis and here. Other isolates see it at their next trip. */
  async reset(trip: Trip | null, counters: readonly Pick<Charge, "policy" | "caller">[]): Promise<void> {
    for (const counter of counters) {
      this.#seen.delete(counterName(counter));
      this.#owed.delete(counterName(counter));
      this.#leases.forget(counter);
      this.#twin.forget(counter);
      const prefix = `${counterName(counter)}|`;
      for (const [name] of this.#blocks) if (name.startsWith(prefix)) this.#blocks.delete(name);
    }
    const now = this.#platform.now();
    const names = counters.flatMap((counter) => counterKeys(this.#keys, counter, now));
    if (trip && names.length > 0) await trip.queue((pipeline) => pipeline.del(...names));
  }

  /** Remembers what a trip brought back. */
  #settle(charges: readonly Charge[], pending: Promise<Charged>): Promise<Charged> {
    const settled = pending.then((charged) => this.#remember(charges, charged));
    // Whoever prepared it may never come to decide: then a failure must not count as unhandled.
    settled.catch(() => {});
    return settled;
  }

  #remember(charges: readonly Charge[], charged: Charged): Charged {
    const now = this.#platform.now();
    charges.forEach((charge, index) => {
      const entry = charged.entries[index];
      if (!entry) return;
      const { policy, cost } = charge;
      const { counts } = entry;
      this.#seen.set(counterName(charge), counts, lapsesAt(policy, counts, now));
      if (entry.taken > 0 && policy.lease > 0) this.#leases.deposit(charge, entry, charged.at);
      if (!entry.short || !charge.enforced) return;
      const until = Math.min(passesAt(policy, counts, now, cost), now + this.#isolateMaxAgeMs);
      if (until > now) this.#blocks.set(blockName(charge), { until, counts }, until);
    });
    return charged;
  }

  #nonce(charges: readonly Charge[]): string {
    if (!charges.some(({ policy }) => policy.algorithm === "sliding-log")) return "-";
    return hex(this.#platform.randomBytes(8));
  }
}

/** A block is of one cost: a caller without room for five units may have room for one. And of one limit: tiers differ. */
function blockName(charge: Charge): string {
  return `${counterName(charge)}|${charge.policy.limit}|${charge.cost}`;
}

/** What is owed of a bucket is kept by the window, like a counter; of a log, by the time. */
function owedQuota({ policy }: Charge): Charge["policy"] {
  return policy.algorithm === "sliding-log" ? policy : { ...policy, algorithm: "fixed-window" };
}

/** The same units at fewer moments, the later ones: they may be owed for longer, never for less. */
function coarse(counts: Counts): Counts {
  if (counts.kind !== "log" || counts.runs.length <= OWED_RUNS) return counts;
  const [first, second, ...rest] = counts.runs;
  if (!first || !second) return counts;
  return { kind: "log", runs: [{ at: second.at, units: first.units + second.units }, ...rest] };
}

function owedUnits(charge: Charge, owed: Counts, now: number): number {
  const counts = countsAt(owedQuota(charge), owed, now);
  if (counts.kind === "window") return counts.current;
  return counts.kind === "log" ? counts.runs.reduce((sum, run) => sum + run.units, 0) : 0;
}
