import type { Identifier } from "../../identity/caller-hash.ts";
import type { Limiter, TierWindow } from "../../ratelimit/limiter.ts";
import type { Batch } from "../../store/batch.ts";

/** Who is looked at, and by which windows it may be charged. */
export interface LimitedCaller {
  hash: string;
  windows: readonly TierWindow[];
}

/** A user or a key is charged by the windows that count callers, an address by all of them. */
export function callerWindowsOf(windows: readonly TierWindow[]): TierWindow[] {
  return windows.filter(({ policy }) => policy.by === "caller");
}

/** What limits a user, whom the log and Redis know by a hash alone. */
export async function limitedUser(
  user: string,
  identifier: Pick<Identifier, "hash">,
  windows: readonly TierWindow[],
): Promise<LimitedCaller> {
  return { hash: await identifier.hash("user", user), windows: callerWindowsOf(windows) };
}

/** What is left in each window, for each tier, with the one call of the batch, which it sends; while the store is lost, as far as this isolate knows. */
export async function peekWindows(
  { limiter, batch }: { limiter: Pick<Limiter, "peek">; batch: Batch },
  { hash, windows }: LimitedCaller,
) {
  const policies = windows.map(({ policy }) => policy);
  const peeked = limiter.peek(hash, policies, batch);
  await batch.send();
  return (await peeked).map((limit, index) => {
    const { route, tier = null } = windows[index] ?? {};
    return { ...limit, route, tier };
  });
}
