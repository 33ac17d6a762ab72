import type { Policy } from "../config/route.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Counts } from "./algorithms/algorithm.ts";
import { available, passesAt } from "./algorithms/algorithms.ts";
import type { LimitState } from "./limit-state.ts";

/** One window of a caller as an operator sees it. */
export interface PeekedLimit {
  /** Which counter. */
  id: string;
  name: string;
  algorithm: Policy["algorithm"];
  limit: number;
  /** Counted over every route that names it. */
  shared: boolean;
  remaining: number;
  /** When more will be left, ms since the epoch; now, where nothing was taken. */
  resetAt: number;
  source: "redis" | "memory";
}

export interface PeekOptions {
  state: LimitState;
  platform: Pick<Platform, "now">;
}

/**
 * Reads counts without changing one: exact keys, never a scan. Queues on the batch at once, and answers when it is back;
 * in an outage from what this isolate knows.
 */
export async function peek(
  { state, platform }: PeekOptions,
  caller: string,
  policies: readonly Policy[],
  batch: Batch | null,
): Promise<PeekedLimit[]> {
  const now = platform.now();
  /** Tiers and routes may share a counter, which is read once. */
  const seen = new Map<string, ReturnType<typeof look>>();
  const pending = policies.map(async (policy): Promise<PeekedLimit> => {
    const { id, name, algorithm, limit, shared } = policy;
    const looking = seen.get(`${id}|${limit}`) ?? look(policy);
    seen.set(`${id}|${limit}`, looking);
    const { counts, source } = await looking;
    const remaining = available(policy, counts, now);
    const resetAt = remaining >= limit ? now : passesAt(policy, counts, now, remaining + 1);
    return { id, name, algorithm, limit, shared, remaining, resetAt, source };
  });
  return Promise.all(pending);

  async function look(policy: Policy): Promise<{ counts: Counts; source: "redis" | "memory" }> {
    const counter = { policy, caller };
    try {
      const counts = batch && (await state.peek(batch, counter));
      // What another program has written there may be no number: no request is counted by it either.
      if (counts && Number.isFinite(available(policy, counts, now))) return { counts, source: "redis" };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return { counts: state.peekLocally(counter), source: "memory" };
  }
}
