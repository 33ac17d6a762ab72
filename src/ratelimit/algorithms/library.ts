// Its ES module: the CommonJS one, which the package names first, brings all of its algorithms into the Worker.
import { Ratelimit } from "@upstash/ratelimit/dist/index.mjs";
import type { Batch } from "../../store/batch.ts";
import { notUnderstood } from "../../store/errors.ts";
import { GivenUp, readAlsoLate, toItsEnd } from "../../store/given-up.ts";
import type { Keys } from "../../store/keys.ts";
import { listIn } from "../../store/replies.ts";
import type { Counter, LibraryVerdict } from "./algorithm.ts";
import type { WindowCounts } from "./counter-windows.ts";

type LibraryContext = Parameters<ReturnType<ReturnType<typeof Ratelimit.slidingWindow>>["limit"]>[0];

/**
 * One sliding window, cost 1: decided by @upstash/ratelimit itself, with the batch as its `redis`.
 *
 * The library answers with what remains, from which the true wait does not follow: {previous 10, current 5} and {0, 10} at
 * limit 10 are the same to it. So the two counters it is about to use are read along, in the batch's MGET, which goes before
 * its script. Another request may come between the two: after an admission the count is therefore taken from the library's
 * answer, and only a denial's from the read.
 *
 * The library takes the time from `Date.now()`, which in a Worker is `platform.now()`. What it took stands in its arguments
 * and is used from there on, so that keys, counts and wait belong to one moment even where the two clocks differ.
 */
export async function chargeByLibrary(
  batch: Batch,
  keys: Keys,
  { policy, caller }: Counter,
): Promise<LibraryVerdict<WindowCounts>> {
  let at = 0;
  let reads: Promise<(string | null)[]> = Promise.resolve([]);
  let asked: Promise<[remaining: number]> | undefined;
  const ask = (reply: Promise<unknown>) => {
    asked = readAlsoLate(reply, (given) => remainingIn(given, policy.limit));
    return asked;
  };
  const redis = {
    evalsha(sha: string, names: string[], args: unknown[]) {
      at = Number(args[1]);
      reads = batch.readAll(names);
      return ask(batch.evalsha(sha, names, args));
    },
    eval: (source: string, names: string[], args: unknown[]) => ask(batch.eval(source, names, args)),
  };
  const algorithm = Ratelimit.slidingWindow(policy.limit, policy.window)();
  // The two methods are all that its sliding window calls.
  const context = { redis, prefix: "" } as unknown as LibraryContext;
  const answer = algorithm.limit(context, keys.windowCounter(policy.id, caller));
  const read = (remaining: number, values: readonly (string | null)[]) => {
    const [current = 0, previous = 0] = values.map(Number);
    const areCounts =
      Math.min(current, previous) >= 0 && Number.isFinite(current + previous + remaining + at);
    if (!areCounts) throw notUnderstood();
    const success = remaining >= 0;
    const weighted = Math.floor((1 - (at % policy.windowMs) / policy.windowMs) * previous);
    const counts = {
      number: Math.floor(at / policy.windowMs),
      current: success ? policy.limit - remaining - weighted : current,
      previous,
    };
    return { success, counts, at };
  };
  try {
    const { success, remaining } = await answer;
    return read(success ? remaining : -1, await reads);
  } catch (error) {
    if (!(error instanceof GivenUp) || !asked) throw error;
    const late = Promise.all([toItsEnd(asked), toItsEnd(reads)]);
    const verdict = late.then(([[remaining], values]) => read(remaining, values));
    throw new GivenUp(error.message, verdict);
  }
}

/** The reply of the library's script, what remains (below 0: a denial) and the limit: the library takes anything else for one of the two. */
function remainingIn(reply: unknown, limit: number): [remaining: number] {
  const [remaining, said] = listIn(reply);
  if (said !== limit || !Number.isInteger(remaining)) throw notUnderstood();
  return [remaining as number];
}
