import { listIn } from "../../store/replies.ts";
import type { Algorithm, Quota } from "./algorithm.ts";
import { pendingByWindow } from "./counter-windows.ts";

/** Tokens that were left when the bucket was last refilled, by a whole number of windows at a time. */
export interface BucketCounts {
  tokens: number;
  refilledAt: number;
}

/** Tokens that come back `refill` at a time, as @upstash/ratelimit counts them. */
export const tokenBucket: Algorithm<BucketCounts> & { refills: true } = {
  empty: ({ limit }, now) => ({ tokens: limit, refilledAt: now }),
  at: bucketAt,
  used: ({ limit }, { tokens }) => limit - tokens,
  passesAt: ({ windowMs, refill }, { tokens, refilledAt }, _, units) =>
    refilledAt + Math.ceil((units - tokens) / refill) * windowMs,
  take(quota, counts, now, units) {
    const current = bucketAt(quota, counts, now);
    return { ...current, tokens: Math.max(0, current.tokens - units) };
  },
  lapsesAt({ limit, windowMs, refill }, { tokens, refilledAt }) {
    return refilledAt + Math.max(1, Math.ceil((limit - tokens) / refill)) * windowMs;
  },
  stricter(quota, one, other, now) {
    const a = bucketAt(quota, one, now);
    const b = bucketAt(quota, other, now);
    // At no later moment either has fewer.
    return { tokens: Math.min(a.tokens, b.tokens), refilledAt: Math.max(a.refilledAt, b.refilledAt) };
  },
  bytes: () => 0,
  // Filling an empty bucket takes several windows.
  windowSeconds: ({ limit, windowMs, refill }) => Math.ceil((Math.ceil(limit / refill) * windowMs) / 1000),
  refills: true,
  pending: pendingByWindow,
  keys: (keys, { policy, caller }) => [keys.tokenBucket(policy.id, caller)],
  // Under a capacity that was lowered, or that another tier has, the tokens above it are gone at once.
  lua: {
    keys: 1,
    strings: false,
    arguments: 1,
    read: `
  local bucket = redis.call("HMGET", l.key, "refilledAt", "tokens")
  l.refill = tonumber(l[1])
  l.refilledAt = count(bucket[1] or now)
  l.tokens = math.min(l.limit, count(bucket[2] or l.limit))
  if now >= l.refilledAt + l.window then
    local refills = math.floor((now - l.refilledAt) / l.window)
    l.tokens = math.min(l.limit, l.tokens + refills * l.refill)
    l.refilledAt = l.refilledAt + refills * l.window
  end
  l.room = l.tokens`,
    write: `
  if l.taken > 0 then
    l.tokens = math.max(0, l.tokens - l.taken)
    redis.call("HSET", l.key, "refilledAt", string.format("%.0f", l.refilledAt), "tokens", string.format("%.0f", l.tokens))
    redis.call("PEXPIRE", l.key, string.format("%.0f", math.max(1, math.ceil((l.limit - l.tokens) / l.refill)) * l.window))
  end
  return { l.taken, l.tokens, string.format("%.0f", l.refilledAt) }`,
  },
  arguments: ({ refill }) => [refill],
  parse: ([tokens = 0, refilledAt = 0]) => ({ tokens, refilledAt }),
  async read(batch, [name = ""], { limit }, now) {
    const bucket = await batch.queue((pipeline) => pipeline.hmget(name, "refilledAt", "tokens"));
    const [refilledAt, tokens] = listIn(bucket);
    return typeof refilledAt === "string" && typeof tokens === "string"
      ? { refilledAt: Number(refilledAt), tokens: Number(tokens) }
      : { tokens: limit, refilledAt: now };
  },
};

function bucketAt({ limit, windowMs, refill }: Quota, counts: BucketCounts, now: number): BucketCounts {
  const refills = Math.max(0, Math.floor((now - counts.refilledAt) / windowMs));
  return {
    tokens: Math.min(limit, counts.tokens + refills * refill),
    refilledAt: counts.refilledAt + refills * windowMs,
  };
}
