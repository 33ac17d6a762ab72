import { BoundedMap } from "../runtime/bounded-map.ts";
import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import type { ReplayOutcome } from "../store/recovery.ts";
import { afterTaking, type Counts, countsAt, emptyCounts, lapsesAt, passesAt } from "./algorithms.ts";
import { type Charge, type Charged, counterName } from "./charge.ts";
import { Leases } from "./leases.ts";
import { chargeByLibrary } from "./library.ts";
import { countsSize, type MemoryLimitBounds, MemoryLimitStore } from "./memory-limit-store.ts";
import { chargeByScript, counterKeys } from "./script.ts";

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

/** What a caller was admitted without Redis's knowing. */
interface PendingCharge {
  charge: Charge;
  counts: Counts;
}

/** A caller who is refused without a batch. */
interface Block {
  /** ms since the epoch. */
  until: number;
  counts: Counts;
}

/** Moments that are kept of what one caller is pending in an exact log. */
const OWED_RUNS = 64;

const MAP_BYTES = 4 * 1024 * 1024;

/** Windows that one run of the script counts after an outage: their keys must fit its stack with room to spare. */
const REPLAY_CHUNK = 50;
/** Windows that one batch counts then. */
const REPLAY_TRIP = 500;

/**
 * Every change of a count, wherever it lives, is made here: nothing else in this room calls the script, the library, the
 * leases or the localStore. The table is in `index.ts`.
 */
export class LimitState {
  readonly #platform: Platform;
  readonly #keys: Keys;
  readonly #isolateMaxAgeMs: number;
  readonly #seen: BoundedMap<Counts>;
  readonly #blocks: BoundedMap<Block>;
  readonly #pending: BoundedMap<PendingCharge>;
  readonly #leases: Leases;
  readonly #localStore: MemoryLimitStore;

  constructor({ platform, keys, isolateMaxAgeMs, bounds = {} }: LimitStateOptions) {
    const {
      remembered = 10_000,
      rememberedBytes = MAP_BYTES,
      pending = 10_000,
      pendingBytes = MAP_BYTES,
    } = bounds;
    const sizeOf = ({ counts }: Block | PendingCharge, name: string) => countsSize(counts, name);
    this.#platform = platform;
    this.#keys = keys;
    this.#isolateMaxAgeMs = isolateMaxAgeMs;
    const kept = { platform, entries: remembered, bytes: rememberedBytes, whenFull: "evict" } as const;
    this.#seen = new BoundedMap({ ...kept, sizeOf: countsSize });
    this.#blocks = new BoundedMap<Block>({ ...kept, sizeOf });
    this.#pending = new BoundedMap<PendingCharge>({
      platform,
      entries: pending,
      bytes: pendingBytes,
      sizeOf,
      whenFull: "refuse",
    });
    this.#leases = new Leases({ platform, maxAgeMs: isolateMaxAgeMs, entries: remembered });
    this.#localStore = new MemoryLimitStore(platform, bounds);
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
   * @returns what became of them. Rejects with a StoreError in an outage; being limited is a value.
   */
  charge(batch: Batch, charges: readonly Charge[]): Promise<Charged> {
    const now = this.#platform.now();
    const [only] = charges;
    const plain =
      charges.length === 1 &&
      only?.policy.algorithm === "sliding-window" &&
      only.cost === 1 &&
      only.policy.lease === 0;
    if (plain) return this.#settle(charges, chargeByLibrary(batch, this.#keys, only));
    const leased = charges.every(({ policy }) => policy.lease > 0);
    const asked = leased
      ? charges.map((charge) => ({ ...charge, most: this.#leases.ask(charge, now) }))
      : charges;
    const call = { keys: this.#keys, charges: asked, now, nonce: this.#nonce(charges) };
    return this.#settle(charges, chargeByScript(batch, call));
  }

  /** Spends units that Redis has counted before. Only a request all of whose windows are leased can do without a batch. */
  spendLease(charges: readonly Charge[], options: { stale?: boolean } = {}): boolean {
    return this.#leases.spend(charges, this.#platform.now(), options.stale);
  }

  leased(charge: Charge): number {
    return this.#leases.units(charge, this.#platform.now());
  }

  /** The enforced windows that still refuse this cost, from an earlier batch's counts. */
  blocked(charges: readonly Charge[]): Charge[] {
    const now = this.#platform.now();
    return charges.filter((charge) => {
      const until = this.#blocks.get(blockName(charge))?.until ?? 0;
      // One that lies further ahead than it ever could was made by a clock that was ahead.
      return charge.enforced && until > now && until <= now + this.#isolateMaxAgeMs;
    });
  }

  /** Counts in the isolate, going on from what Redis last said. */
  chargeLocally(charges: readonly Charge[]): Charged {
    return this.#localStore.charge(charges, this.#platform.now(), (charge) =>
      this.#seen.get(counterName(charge)),
    );
  }

  /** The counts this isolate knows without asking. */
  known(charge: Pick<Charge, "policy" | "caller">): Counts | undefined {
    return this.#localStore.counts(charge) ?? this.#seen.get(counterName(charge));
  }

  /** The last counts that Redis told of, or those a block rests on. */
  lastSeen(charge: Charge): Counts | undefined {
    return this.#seen.get(counterName(charge)) ?? this.#blocks.get(blockName(charge))?.counts;
  }

  /**
   * Keeps requests that the localStore admitted and Redis has certainly not counted, so that they can be counted when it is back
   * or takes writes again.
   */
  markDue(charges: readonly Charge[], { entries }: Charged): void {
    const now = this.#platform.now();
    charges.forEach((charge, index) => {
      if (!entries[index]?.taken) return;
      const quota = pendingQuota(charge);
      const name = counterName(charge);
      const before = this.#pending.get(name)?.counts ?? emptyCounts(quota, now);
      this.#keepPending(name, charge, afterTaking(quota, before, now, charge.cost), now);
    });
  }

  #keepPending(name: string, charge: Charge, pending: Counts, now: number): void {
    const keep = (counts: Counts) =>
      this.#pending.set(name, { charge, counts }, lapsesAt(pendingQuota(charge), counts, now));
    // `set` has dropped what was pending before to make room: at one moment all of it fits again.
    if (!keep(coarse(pending, OWED_RUNS))) keep(coarse(pending, 1));
  }

  /**
   * Queues what is pending, once: forgotten before it is sent, so that what may have been counted is never sent again. What
   * Redis has certainly not counted is pending as before.
   */
  async replay(batch: Batch): Promise<ReplayOutcome> {
    const now = this.#platform.now();
    const pending: [name: string, PendingCharge, units: number][] = [];
    for (const [name, each] of this.#pending) {
      if (pending.length === REPLAY_TRIP) break;
      this.#pending.delete(name);
      const units = pendingUnits(each.charge, each.counts, now);
      if (units > 0) pending.push([name, each, units]);
    }
    const going: Promise<boolean>[] = [];
    for (let from = 0; from < pending.length; from += REPLAY_CHUNK) {
      going.push(this.#replayChunk(batch, pending.slice(from, from + REPLAY_CHUNK), now));
    }
    if ((await Promise.all(going)).includes(false)) return "refused";
    return this.#pending.size > 0 ? "more" : "done";
  }

  /** @returns false where Redis has certainly not counted it. */
  async #replayChunk(
    batch: Batch,
    chunk: readonly [string, PendingCharge, number][],
    now: number,
  ): Promise<boolean> {
    const charges = chunk.map(([, { charge }, units]) => ({ ...charge, cost: units, most: units }));
    const call = { keys: this.#keys, charges, now, nonce: this.#nonce(charges), force: true };
    try {
      await chargeByScript(batch, call);
      return true;
    } catch (error) {
      if (!(error instanceof StoreError && error.certainlyNotApplied)) return true;
      for (const [name, { charge, counts }] of chunk) {
        const since = this.#pending.get(name)?.counts;
        this.#keepPending(name, charge, since ? together(counts, since) : counts, this.#platform.now());
      }
      return false;
    }
  }

  /** Deletes a caller's counters of these policies: exact keys, in Redis and here. Other isolates see it at their next batch. */
  async reset(batch: Batch | null, counters: readonly Pick<Charge, "policy" | "caller">[]): Promise<void> {
    for (const counter of counters) {
      this.#seen.delete(counterName(counter));
      this.#pending.delete(counterName(counter));
      this.#leases.forget(counter);
      this.#localStore.forget(counter);
      const prefix = `${counterName(counter)}|`;
      for (const [name] of this.#blocks) if (name.startsWith(prefix)) this.#blocks.delete(name);
    }
    const now = this.#platform.now();
    const names = counters.flatMap((counter) => counterKeys(this.#keys, counter, now));
    if (batch && names.length > 0) await batch.queue((pipeline) => pipeline.del(...names));
  }

  /** Remembers what a batch brought back. */
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

/** What is pending of a bucket is kept by the window, like a counter; of a log, by the time. */
function pendingQuota({ policy }: Charge): Charge["policy"] {
  return policy.algorithm === "sliding-log" ? policy : { ...policy, algorithm: "fixed-window" };
}

/** The same units at fewer moments, the later ones: they may be pending for longer, never for less. */
function coarse(counts: Counts, most: number): Counts {
  if (counts.kind !== "log") return counts;
  const over = counts.runs.length - most;
  const kept = counts.runs[over];
  if (over <= 0 || !kept) return counts;
  const units = counts.runs.slice(0, over + 1).reduce((sum, run) => sum + run.units, 0);
  return { kind: "log", runs: [{ at: kept.at, units }, ...counts.runs.slice(over + 1)] };
}

/** What was pending before, and what came since. */
function together(before: Counts, since: Counts): Counts {
  if (before.kind === "log" && since.kind === "log")
    return { kind: "log", runs: [...before.runs, ...since.runs] };
  if (before.kind !== "window" || since.kind !== "window" || before.number !== since.number) return since;
  return { ...since, current: before.current + since.current };
}

function pendingUnits(charge: Charge, pending: Counts, now: number): number {
  const counts = countsAt(pendingQuota(charge), pending, now);
  if (counts.kind === "window") return counts.current;
  return counts.kind === "log" ? counts.runs.reduce((sum, run) => sum + run.units, 0) : 0;
}
