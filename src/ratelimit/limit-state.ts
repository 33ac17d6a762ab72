import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import { readAlsoLate } from "../store/given-up.ts";
import type { Keys } from "../store/keys.ts";
import type { ReplayOutcome } from "../store/recovery.ts";
import type { Counter, Counts } from "./algorithms/algorithm.ts";
import { algorithmOf, available, passesAt } from "./algorithms/algorithms.ts";
import { type Charge, type Charged, type ChargedOutcome, counterName } from "./charge.ts";
import type { OutcomeCharges } from "./charge-script.ts";
import { Leases } from "./leases.ts";
import { type MemoryLimitBounds, MemoryLimitStore } from "./memory-limit-store.ts";
import { PendingCharges } from "./pending-charges.ts";
import { type StoredCounts, storedBytes } from "./stored-counts.ts";
import { UpstashLimitStore } from "./upstash-limit-store.ts";

export interface LimitStateBounds extends MemoryLimitBounds {
  /** Most callers' last counts, leases and blocks kept, each. Default 10 000. */
  remembered?: number;
  /** Most bytes of the last counts, and of the blocks, about. Default 4 MiB each. */
  rememberedBytes?: number;
  /** Most callers whose requests in an outage are kept to be counted later. Default 10 000. */
  pending?: number;
  /** Most bytes of them, about. Default 4 MiB. */
  pendingBytes?: number;
}

export interface LimitStateOptions {
  platform: Platform;
  keys: Keys;
  /** Most ms the isolate decides on its own after a batch. */
  isolateMaxAgeMs: number;
  bounds?: LimitStateBounds | undefined;
}

/** What a charge has told of a counter, and when the charge was made, ms since the epoch. */
interface Seen extends StoredCounts {
  at: number;
}

/** A caller who is refused without a batch. */
interface Block extends StoredCounts {
  /** ms since the epoch. */
  until: number;
}

const MAP_BYTES = 4 * 1024 * 1024;

/** Windows that one run of the script counts after an outage: their keys must fit its stack with room to spare. */
const REPLAY_CHUNK = 50;
/** Windows that one batch counts then. */
const REPLAY_BATCH = 500;

/**
 * All counts, wherever they live. Every change of a count is made here: no other file of this folder uses the limit stores
 * or the leases.
 *
 * Where a count lives, who may change it, when it lapses:
 *
 * | where | what | changed by | lapses |
 * |---|---|---|---|
 * | Redis, counter | units of a caller in one window | @upstash/ratelimit (one sliding window, cost 1, no lease), else the script | two windows and a second after its first unit |
 * | Redis, bucket | tokens left, last refill | the script | when the bucket would be full again |
 * | Redis, log | one member per unit | the script, which removes lapsed members at each use | a window and a second after its last unit |
 * | isolate, leases | units that Redis has counted and no request has spent | a charge that takes more than its cost, then spending | with their window; after `ISOLATE_MAX_AGE_MS` without a batch they are spent in an outage only |
 * | isolate, blocks | a caller, policy and cost that Redis has refused | a denial | when the cost could pass, at most after `ISOLATE_MAX_AGE_MS` |
 * | isolate, seen | the last raw counts from Redis, for headers and as the start of local counting | every reply | with their window, or as the least recently used |
 * | isolate, local limit store | counts of the same algorithms | a decision without Redis | with their window; a live counter is never dropped |
 * | isolate, pending charges | units admitted locally that Redis has certainly not counted | such an admission | at recovery, when they are sent once, or with their window |
 *
 * No unit is given back after it was taken.
 */
export class LimitState {
  readonly #platform: Platform;
  readonly #isolateMaxAgeMs: number;
  readonly #seen: BoundedMap<Seen>;
  readonly #blocks: BoundedMap<Block>;
  readonly #pending: PendingCharges;
  readonly #leases: Leases;
  readonly #store: UpstashLimitStore;
  readonly #localStore: MemoryLimitStore;

  constructor({ platform, keys, isolateMaxAgeMs, bounds = {} }: LimitStateOptions) {
    const {
      remembered = 10_000,
      rememberedBytes = MAP_BYTES,
      pending = 10_000,
      pendingBytes = MAP_BYTES,
    } = bounds;
    this.#platform = platform;
    this.#isolateMaxAgeMs = isolateMaxAgeMs;
    const kept = {
      platform,
      entries: remembered,
      bytes: rememberedBytes,
      sizeOf: storedBytes,
      whenFull: "evict",
    } as const;
    this.#seen = new BoundedMap<Seen>(kept);
    this.#blocks = new BoundedMap<Block>(kept);
    this.#pending = new PendingCharges({ platform, entries: pending, bytes: pendingBytes });
    this.#leases = new Leases({ platform, maxAgeMs: isolateMaxAgeMs, entries: remembered });
    this.#store = new UpstashLimitStore({ keys, platform });
    this.#localStore = new MemoryLimitStore({
      platform,
      bounds,
      seen: (counter) => this.#seenOf(counter),
    });
  }

  /** Entries per map, and bytes where an entry's size varies: each is bounded. */
  get sizes() {
    return {
      counters: this.#localStore.size,
      counterBytes: this.#localStore.bytes,
      seen: this.#seen.size,
      seenBytes: this.#seen.bytes,
      blocks: this.#blocks.size,
      blockBytes: this.#blocks.bytes,
      leases: this.#leases.size,
      pending: this.#pending.size,
      pendingBytes: this.#pending.bytes,
    };
  }

  /**
   * Queues the charges on the batch: at once, before anything is awaited.
   *
   * @returns what became of them. Rejects with a StoreError in an outage; being limited is a value. What comes after the
   *   request has given it up is remembered too: a caller who was refused then is refused here from then on.
   */
  charge(batch: Batch, charges: readonly Charge[]): Promise<Charged> {
    const now = this.#platform.now();
    const leased = charges.every(({ policy }) => policy.lease > 0);
    const asked = leased
      ? charges.map((charge) => ({ ...charge, most: this.#leases.ask(charge, now) }))
      : charges;
    const charging = this.#store.charge(asked, batch);
    return observed(readAlsoLate(charging, (charged) => this.#remember(charges, charged)));
  }

  /** As {@link charge}, for whichever of two lists the session in Redis selects. Takes no lease. */
  chargeOutcome(batch: Batch, lists: OutcomeCharges): Promise<ChargedOutcome> {
    const charging = this.#store.chargeOutcome(lists, batch);
    return observed(readAlsoLate(charging, (charged) => this.#remember(lists[charged.outcome], charged)));
  }

  /**
   * Spends units that Redis has counted before. Only a request all of whose windows are leased can do without a batch; but for those in shadow
   * that are full, of which Redis would take nothing: else the units of the others would lapse, which a shadow must not do.
   */
  spendLease(charges: readonly Charge[], stale = false): boolean {
    const now = this.#platform.now();
    if (!charges.some((charge) => this.isFullShadow(charge))) return this.#leases.spend(charges, now, stale);
    const counted = charges.filter((charge) => !this.isFullShadow(charge));
    return counted.length > 0 && this.#leases.spend(counted, now, stale);
  }

  /** Whether it is a window in shadow without room for the cost, by what a batch has told lately. */
  isFullShadow(charge: Charge): boolean {
    const seen = charge.enforced ? undefined : this.#seen.get(counterName(charge));
    if (!seen) return false;
    const now = this.#platform.now();
    const age = now - seen.at;
    return (
      age >= 0 && age <= this.#isolateMaxAgeMs && available(charge.policy, seen.counts, now) < charge.cost
    );
  }

  leased(charge: Charge): number {
    return this.#leases.units(charge, this.#platform.now());
  }

  /** The enforced windows that still refuse this cost, from an earlier batch's counts. */
  blocked(charges: readonly Charge[]): Charge[] {
    const now = this.#platform.now();
    return charges.filter((charge) => {
      const until = this.#blocks.get(blockName(charge))?.until ?? 0;
      // A block that ends later than any block can was made while the clock was ahead.
      return charge.enforced && until > now && until <= now + this.#isolateMaxAgeMs;
    });
  }

  /** Counts in the isolate, going on from what Redis last said. */
  chargeLocally(charges: readonly Charge[]): Charged {
    return this.#localStore.charge(charges);
  }

  /** The counts this isolate knows without asking. */
  peekLocally(counter: Counter): Counts {
    return this.#localStore.peek(counter);
  }

  /** Queues a read of the counts in Redis. Rejects with a StoreError. */
  peek(batch: Batch, counter: Counter): Promise<Counts> {
    return this.#store.peek(counter, batch);
  }

  /** The last counts that Redis told of, or those a block rests on. */
  lastSeen(charge: Charge): Counts | undefined {
    return this.#seenOf(charge) ?? this.#blocks.get(blockName(charge))?.counts;
  }

  /**
   * Keeps what was admitted locally and Redis has certainly not counted, so that it can be counted when Redis is back or takes
   * writes again.
   */
  markDue(charges: readonly Charge[], { entries }: Charged): void {
    charges.forEach((charge, index) => {
      if (entries[index]?.taken) this.#pending.add(charge);
    });
  }

  /**
   * Queues pending charges, each once: they are removed before they are sent, so that what may have been counted is never
   * sent again. What Redis has certainly not counted is put back.
   */
  async replay(batch: Batch): Promise<ReplayOutcome> {
    const taken = this.#pending.take(REPLAY_BATCH);
    const chunks: Promise<boolean>[] = [];
    for (let from = 0; from < taken.length; from += REPLAY_CHUNK) {
      chunks.push(this.#replayChunk(batch, taken.slice(from, from + REPLAY_CHUNK)));
    }
    if ((await Promise.all(chunks)).includes(false)) return "refused";
    return this.#pending.size > 0 ? "more" : "done";
  }

  /** @returns false where Redis has certainly not counted it. */
  async #replayChunk(batch: Batch, chunk: ReturnType<PendingCharges["take"]>): Promise<boolean> {
    try {
      await this.#store.count(
        chunk.map(({ charge }) => charge),
        batch,
      );
      return true;
    } catch (error) {
      if (!(error instanceof StoreError && error.certainlyNotApplied)) return true;
      for (const { taken } of chunk) this.#pending.restore(taken);
      return false;
    }
  }

  /** Deletes a caller's counters of these policies: exact keys, in Redis and here. Other isolates see it at their next batch. */
  async reset(batch: Batch | null, counters: readonly Counter[]): Promise<void> {
    for (const counter of counters) {
      this.#seen.delete(counterName(counter));
      this.#pending.forget(counter);
      this.#leases.forget(counter);
      const prefix = `${counterName(counter)}|`;
      for (const [name] of this.#blocks) if (name.startsWith(prefix)) this.#blocks.delete(name);
    }
    this.#localStore.reset(counters);
    if (batch) await this.#store.reset(counters, batch);
  }

  #seenOf(counter: Counter): Counts | undefined {
    return this.#seen.get(counterName(counter))?.counts;
  }

  /** Remembers what a batch brought back, but for counts of which a later charge has told already. */
  #remember<Result extends Charged>(charges: readonly Charge[], charged: Result): Result {
    const now = this.#platform.now();
    charges.forEach((charge, index) => {
      const entry = charged.entries[index];
      if (!entry) return;
      const { policy, cost } = charge;
      const { counts } = entry;
      const known = this.#seen.get(counterName(charge))?.at ?? charged.at;
      // One in the future was made while the clock was ahead.
      if (known > charged.at && known <= now) return;
      const seen = { quota: policy, counts, at: charged.at };
      this.#seen.set(counterName(charge), seen, algorithmOf(policy).lapsesAt(policy, counts, now));
      if (entry.taken > 0 && policy.lease > 0) this.#leases.deposit(charge, entry, charged.at);
      if (!entry.short || !charge.enforced) return;
      const until = Math.min(passesAt(policy, counts, now, cost), now + this.#isolateMaxAgeMs);
      if (until > now) this.#blocks.set(blockName(charge), { ...seen, until }, until);
    });
    return charged;
  }
}

/** A request may end before its second step reads the charge. A failure of the charge is then no unhandled rejection. */
function observed<Result>(pending: Promise<Result>): Promise<Result> {
  pending.catch(() => {});
  return pending;
}

/**
 * A block applies to one cost, because a caller without room for five units may have room for one, and to one limit, because
 * tiers have different ones.
 */
function blockName(charge: Charge): string {
  return `${counterName(charge)}|${charge.policy.limit}|${charge.cost}`;
}
