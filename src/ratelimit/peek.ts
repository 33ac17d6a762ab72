import type { Policy } from "../config/route.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { available, type Counts, emptyCounts, passesAt } from "./algorithms.ts";
import type { LimitState } from "./limit-state.ts";
import { counterKeys } from "./script.ts";

/** One window of a caller as an operator sees it. */
export interface PeekedLimit {
  /** Which counter. */
  id: string;
  name: string;
  algorithm: Policy["algorithm"];
  limit: number;
  remaining: number;
  /** When more will be left, ms since the epoch; now, where nothing was taken. */
  resetAt: number;
  source: "redis" | "memory";
}

export interface PeekOptions {
  keys: Keys;
  state: LimitState;
  platform: Pick<Platform, "now">;
}

/**
 * Reads counts without changing one: exact keys, never a scan. Queues on the batch at once, and answers when it is back;
 * in an outage from what this isolate knows.
 */
export async function peek(
  { keys, state, platform }: PeekOptions,
  caller: string,
  policies: readonly Policy[],
  batch: Batch | null,
): Promise<PeekedLimit[]> {
  const now = platform.now();
  const pending = policies.map(async (policy): Promise<PeekedLimit> => {
    const { id, name, algorithm, limit } = policy;
    const { counts, source } = await look(policy);
    const remaining = available(policy, counts, now);
    const resetAt = remaining >= limit ? now : passesAt(policy, counts, now, remaining + 1);
    return { id, name, algorithm, limit, remaining, resetAt, source };
  });
  return Promise.all(pending);

  async function look(policy: Policy): Promise<{ counts: Counts; source: "redis" | "memory" }> {
    try {
      if (batch) return { counts: await read(policy, batch), source: "redis" };
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
    return { counts: state.known({ policy, caller }) ?? emptyCounts(policy, now), source: "memory" };
  }

  async function read(policy: Policy, batch: Batch): Promise<Counts> {
    const [newest = "", older] = counterKeys(keys, { policy, caller }, now);
    if (policy.algorithm === "token-bucket") {
      const bucket = await batch.queue<unknown>((pipeline) => pipeline.hmget(newest, "refilledAt", "tokens"));
      const [refilledAt, tokens] = Array.isArray(bucket) ? bucket : [];
      return typeof refilledAt === "string" && typeof tokens === "string"
        ? { kind: "bucket", refilledAt: Number(refilledAt), tokens: Number(tokens) }
        : emptyCounts(policy, now);
    }
    if (policy.algorithm === "sliding-log") {
      const after = `(${now - policy.windowMs}` as const;
      const [count, first] = await Promise.all([
        batch.queue<number>((pipeline) => pipeline.zcount(newest, after, "+inf")),
        batch.queue<unknown[]>((pipeline) =>
          pipeline.zrange(newest, after, "+inf", { byScore: true, offset: 0, count: 1, withScores: true }),
        ),
      ]);
      const at = Number(first[1] ?? now);
      return { kind: "log", runs: count > 0 ? [{ at, units: count }] : [] };
    }
    const [current, previous] = await Promise.all([batch.read(newest), older ? batch.read(older) : null]);
    return {
      kind: "window",
      number: Math.floor(now / policy.windowMs),
      current: Number(current ?? 0),
      previous: Number(previous ?? 0),
    };
  }
}
