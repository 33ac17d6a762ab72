import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { defineScript } from "../store/script.ts";
import { available, type Counts, type Run } from "./algorithms.ts";
import type { Charge, Charged, Entry } from "./charge.ts";

/**
 * All windows of a request in one atomic step: read every counter, and if each enforced window has room for its cost,
 * charge all; else none. The formulas and the keys of windows and buckets are those of @upstash/ratelimit, so that either
 * may count where the other did; unlike it, a denied request moves no counter, whatever its cost and algorithm.
 *
 * KEYS, per window: `sliding-window` current and previous counter; the others one key.
 * ARGV: now (ms, the Worker's clock), a nonce for the members of logs, then seven per window: algorithm, limit, window
 * (ms), cost, most, refill, and `enforce`, `shadow` or `force` (count it, room or not: what an outage left to be counted).
 *
 * Replies 1 or 0, then per window: units taken and the raw counts after it. Scores come as strings: a reply has no
 * fractions.
 */
const chargeScript = defineScript(`#!lua flags=allow-key-locking
local now = tonumber(ARGV[1])
local limits, counters, key = {}, {}, 0
for at = 3, #ARGV, 7 do
  local l = {
    algorithm = ARGV[at], limit = tonumber(ARGV[at + 1]), window = tonumber(ARGV[at + 2]),
    cost = tonumber(ARGV[at + 3]), most = tonumber(ARGV[at + 4]), refill = tonumber(ARGV[at + 5]), mode = ARGV[at + 6],
    taken = 0
  }
  key = key + 1
  l.key = KEYS[key]
  if l.algorithm == "sliding-window" or l.algorithm == "fixed-window" then
    counters[#counters + 1] = l.key
    l.place = #counters
    if l.algorithm == "sliding-window" then
      key = key + 1
      counters[#counters + 1] = KEYS[key]
    end
  end
  limits[#limits + 1] = l
end

local values = {}
if #counters > 0 then values = redis.call("MGET", unpack(counters)) end
local admitted = 1
for _, l in ipairs(limits) do
  if l.algorithm == "token-bucket" then
    local bucket = redis.call("HMGET", l.key, "refilledAt", "tokens")
    l.refilledAt = tonumber(bucket[1] or now)
    l.tokens = tonumber(bucket[2] or l.limit)
    if now >= l.refilledAt + l.window then
      local refills = math.floor((now - l.refilledAt) / l.window)
      l.tokens = math.min(l.limit, l.tokens + refills * l.refill)
      l.refilledAt = l.refilledAt + refills * l.window
    end
    l.room = l.tokens
  elseif l.algorithm == "sliding-log" then
    redis.call("ZREMRANGEBYSCORE", l.key, "-inf", string.format("%.0f", now - l.window))
    l.used = redis.call("ZCARD", l.key)
    l.room = l.limit - l.used
  else
    l.current = tonumber(values[l.place] or 0)
    l.previous = 0
    l.room = l.limit - l.current
    if l.algorithm == "sliding-window" then
      l.previous = tonumber(values[l.place + 1] or 0)
      l.room = l.room - math.floor((1 - (now % l.window) / l.window) * l.previous)
    end
  end
  if l.mode == "enforce" and l.room < l.cost then admitted = 0 end
end

local reply = { admitted }
for _, l in ipairs(limits) do
  if admitted == 1 then
    if l.mode == "force" then l.taken = l.cost
    elseif l.room >= l.cost then l.taken = math.max(l.cost, math.min(l.room, l.most)) end
  end
  if l.algorithm == "token-bucket" then
    if l.taken > 0 then
      l.tokens = math.max(0, l.tokens - l.taken)
      redis.call("HSET", l.key, "refilledAt", string.format("%.0f", l.refilledAt), "tokens", string.format("%.0f", l.tokens))
      redis.call("PEXPIRE", l.key, string.format("%.0f", math.max(1, math.ceil((l.limit - l.tokens) / l.refill)) * l.window))
    end
    reply[#reply + 1] = { l.taken, l.tokens, string.format("%.0f", l.refilledAt) }
  elseif l.algorithm == "sliding-log" then
    local oldest, freeing, newest = ARGV[1], ARGV[1], ARGV[1]
    local function score(rank) return redis.call("ZRANGE", l.key, rank, rank, "WITHSCORES")[2] end
    if l.used > 0 then oldest = score(0) end
    if l.taken > 0 then
      local members = {}
      for unit = 1, l.taken do
        members[#members + 1] = ARGV[1]
        members[#members + 1] = ARGV[2] .. ":" .. #reply .. ":" .. unit
        if #members == 200 or unit == l.taken then
          redis.call("ZADD", l.key, unpack(members))
          members = {}
        end
      end
      redis.call("PEXPIRE", l.key, string.format("%.0f", l.window + 1000))
    elseif l.used > 0 then
      freeing = oldest
      local rank = l.used + l.cost - l.limit - 1
      if rank > 0 then freeing = score(rank) end
      newest = score(-1)
    end
    reply[#reply + 1] = { l.taken, l.used + l.taken, oldest, freeing, newest }
  else
    if l.taken > 0 then
      l.current = redis.call("INCRBY", l.key, l.taken)
      if l.current == l.taken then redis.call("PEXPIRE", l.key, string.format("%.0f", l.window * 2 + 1000)) end
    end
    reply[#reply + 1] = { l.taken, l.current, l.previous }
  end
end
return reply
`);

/** How the script is asked to treat a window. */
type Mode = "enforce" | "shadow" | "force";

export interface ScriptCall {
  keys: Keys;
  charges: readonly Charge[];
  now: number;
  /** Makes the members of exact logs unique: 16 or more random characters. */
  nonce: string;
  /** Count without asking for room. Default false. */
  force?: boolean;
}

/**
 * Queues the script on the batch.
 *
 * @returns what was charged, once the batch is back. Rejects with a StoreError when Redis could not be asked or answered
 *   something else.
 */
export async function chargeByScript(
  batch: Batch,
  { keys, charges, now, nonce, force }: ScriptCall,
): Promise<Charged> {
  const names: string[] = [];
  const args: (string | number)[] = [now, nonce];
  for (const charge of charges) {
    const { algorithm, limit, windowMs, refill } = charge.policy;
    const mode: Mode = force ? "force" : charge.enforced ? "enforce" : "shadow";
    names.push(...counterKeys(keys, charge, now));
    args.push(algorithm, limit, windowMs, charge.cost, charge.most, refill, mode);
  }
  const reply = await batch.run<unknown>(chargeScript, names, args);
  if (!Array.isArray(reply) || reply.length !== charges.length + 1) throw notUnderstood();
  // What is neither yes nor no must not pass for a denial.
  if (reply[0] !== 0 && reply[0] !== 1) throw notUnderstood();
  const admitted = reply[0] === 1;
  const entries = charges.map((charge, index) => readEntry(charge, reply[index + 1], now, admitted));
  return { admitted, entries, at: now };
}

/** The keys that hold a charge's counts at `now`: the newest first. */
export function counterKeys(
  keys: Keys,
  { policy, caller }: Pick<Charge, "policy" | "caller">,
  now: number,
): string[] {
  if (policy.algorithm === "token-bucket") return [keys.tokenBucket(policy.id, caller)];
  if (policy.algorithm === "sliding-log") return [keys.exactLog(policy.id, caller)];
  const counter = keys.windowCounter(policy.id, caller);
  const number = Math.floor(now / policy.windowMs);
  return policy.algorithm === "fixed-window"
    ? [`${counter}:${number}`]
    : [`${counter}:${number}`, `${counter}:${number - 1}`];
}

function readEntry(charge: Charge, reply: unknown, now: number, admitted: boolean): Entry {
  if (!Array.isArray(reply)) throw notUnderstood();
  const [taken = Number.NaN, first = Number.NaN, second = Number.NaN, ...rest] = reply.map(Number);
  if (![taken, first, second, ...rest].every(Number.isFinite)) throw notUnderstood();
  const { policy, cost } = charge;
  const counts = countsOf(charge, now, taken, [first, second, ...rest]);
  return { counts, taken, short: taken === 0 && (admitted || available(policy, counts, now) < cost) };
}

function countsOf({ policy, cost }: Charge, now: number, taken: number, facts: number[]): Counts {
  const [first = 0, second = 0, freeing = 0, newest = 0] = facts;
  if (policy.algorithm === "token-bucket") return { kind: "bucket", tokens: first, refilledAt: second };
  if (policy.algorithm === "sliding-log") {
    return {
      kind: "log",
      runs: summary(first, policy.limit, cost, taken, { oldest: second, freeing, newest }),
    };
  }
  return { kind: "window", number: Math.floor(now / policy.windowMs), current: first, previous: second };
}

/**
 * A log of `used` units from three of its scores: the oldest, the one whose lapse lets the cost pass, and the newest. The
 * units between are taken to be as young as the younger of the two: they may seem to count longer than they do, never
 * shorter, and the moments that are told to clients (the oldest, the freeing one) are exact.
 */
function summary(
  used: number,
  limit: number,
  cost: number,
  taken: number,
  { oldest, freeing, newest }: { oldest: number; freeing: number; newest: number },
): Run[] {
  const rank = taken > 0 ? 0 : Math.max(0, used + cost - limit - 1);
  const runs = [
    { at: oldest, units: Math.min(1, used) },
    { at: freeing, units: rank },
    { at: newest, units: used - 1 - rank },
  ];
  return runs.filter((run) => run.units > 0);
}

function notUnderstood(): StoreError {
  return new StoreError("malformed", "The reply of the limits' script has another shape");
}
