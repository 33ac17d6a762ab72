import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { readAlsoLate } from "../store/given-up.ts";
import type { Keys } from "../store/keys.ts";
import type { Counter, Counts } from "./algorithms/algorithm.ts";
import { algorithmOf } from "./algorithms/algorithms.ts";
import type { Charge, Charged, ChargedOutcome } from "./charge.ts";
import { chargeByScript, chargeOutcomeByScript, type OutcomeCharges } from "./charge-script.ts";
import type { LimitStore } from "./limit-store.ts";

export interface UpstashLimitStoreOptions {
  keys: Keys;
  platform: Pick<Platform, "now" | "randomBytes">;
}

/**
 * Counts in Redis. A single window without lease and with cost 1 is charged by @upstash/ratelimit where it has the
 * algorithm, everything else by our script, in
 * the same key layout.
 */
export class UpstashLimitStore implements LimitStore {
  readonly #options: UpstashLimitStoreOptions;

  constructor(options: UpstashLimitStoreOptions) {
    this.#options = options;
  }

  charge(charges: readonly Charge[], batch: Batch): Promise<Charged> {
    const [only] = charges;
    const plain = charges.length === 1 && only?.most === 1 && only.policy.lease === 0;
    const charged = plain ? this.#chargeByLibrary(only, batch) : undefined;
    return charged ?? chargeByScript(batch, charges, this.#options);
  }

  /** Charges one of two lists, whichever the session in Redis selects, in the same run of the script that looks at it. */
  chargeOutcome(charges: OutcomeCharges, batch: Batch): Promise<ChargedOutcome> {
    return chargeOutcomeByScript(batch, charges, this.#options);
  }

  /** Counts whether there is room or not: what an outage left to be counted. */
  count(charges: readonly Charge[], batch: Batch): Promise<Charged> {
    return chargeByScript(batch, charges, { ...this.#options, force: true });
  }

  peek(counter: Counter, batch: Batch): Promise<Counts> {
    const { keys, platform } = this.#options;
    const { policy } = counter;
    const now = platform.now();
    const algorithm = algorithmOf(policy);
    return algorithm.read(batch, algorithm.keys(keys, counter, now), policy, now);
  }

  /** Deletes exact keys. Other isolates see it at their next batch. */
  async reset(counters: readonly Counter[], batch: Batch): Promise<void> {
    const { keys, platform } = this.#options;
    const names = counters.flatMap((counter) =>
      algorithmOf(counter.policy).keys(keys, counter, platform.now()),
    );
    if (names.length > 0) await batch.queue((pipeline) => pipeline.del(...names));
  }

  /** @returns undefined where the library does not have the algorithm. */
  #chargeByLibrary(charge: Charge, batch: Batch): Promise<Charged> | undefined {
    const verdict = algorithmOf(charge.policy).chargeByLibrary?.(batch, this.#options.keys, charge);
    return (
      verdict &&
      readAlsoLate(verdict, ({ success, counts, at }) => ({
        admitted: success || !charge.enforced,
        entries: [{ counts, taken: success ? 1 : 0, short: !success }],
        at,
      }))
    );
  }
}
