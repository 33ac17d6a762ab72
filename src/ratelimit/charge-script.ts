import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { Keys } from "../store/keys.ts";
import { defineScript } from "../store/script.ts";
import type { Algorithm } from "./algorithms/algorithm.ts";
import { algorithmOf, algorithms, available } from "./algorithms/algorithms.ts";
import type { Charge, Charged, Entry } from "./charge.ts";

/**
 * All windows of a request in one atomic step: read every counter, and if each enforced window has room for its cost,
 * charge all; else none. The formulas and the keys of windows and buckets are those of @upstash/ratelimit, so that either
 * may count where the other did; unlike it, a denied request moves no counter, whatever its cost and algorithm.
 *
 * KEYS, per window: those of its algorithm.
 * ARGV: now (ms, the Worker's clock), then per window: algorithm, mode, limit, window (ms), cost, most, and the algorithm's
 * own arguments. The mode is `enforce`, `shadow`, or `force`: count it, room or not, as what an outage left to be counted.
 *
 * Replies 1 or 0, then per window: units taken and what the algorithm tells of its counts.
 */
const chargeScript = defineScript(`#!lua flags=allow-key-locking
local now = tonumber(ARGV[1])
local algorithms = {}
${Object.entries(algorithms).map(luaOf).join("\n")}

local limits, strings, key, arg = {}, {}, 0, 2
while arg <= #ARGV do
  local l = {
    algorithm = algorithms[ARGV[arg]], mode = ARGV[arg + 1], limit = tonumber(ARGV[arg + 2]),
    window = tonumber(ARGV[arg + 3]), cost = tonumber(ARGV[arg + 4]), most = tonumber(ARGV[arg + 5]),
    key = KEYS[key + 1], values = {}, place = #strings, taken = 0
  }
  for each = 1, l.algorithm.arguments do l[each] = ARGV[arg + 5 + each] end
  if l.algorithm.strings then
    for each = 1, l.algorithm.keys do strings[#strings + 1] = KEYS[key + each] end
  end
  key = key + l.algorithm.keys
  arg = arg + 6 + l.algorithm.arguments
  limits[#limits + 1] = l
end

local values = {}
if #strings > 0 then values = redis.call("MGET", unpack(strings)) end
local admitted = 1
for _, l in ipairs(limits) do
  if l.algorithm.strings then
    for each = 1, l.algorithm.keys do l.values[each] = values[l.place + each] end
  end
  l.algorithm.read(l)
  if l.mode == "enforce" and l.room < l.cost then admitted = 0 end
end

local reply = { admitted }
for _, l in ipairs(limits) do
  if admitted == 1 then
    if l.mode == "force" then l.taken = l.cost
    elseif l.room >= l.cost then l.taken = math.max(l.cost, math.min(l.room, l.most)) end
  end
  reply[#reply + 1] = l.algorithm.write(l)
end
return reply
`);

function luaOf([name, { lua }]: [string, Algorithm]): string {
  return `algorithms["${name}"] = {
  keys = ${lua.keys}, strings = ${lua.strings}, arguments = ${lua.arguments},
  read = function(l)${lua.read}
  end,
  write = function(l)${lua.write}
  end
}`;
}

/** How the script is asked to treat a window. */
type Mode = "enforce" | "shadow" | "force";

export interface ChargeScriptCall {
  keys: Keys;
  charges: readonly Charge[];
  platform: Pick<Platform, "now" | "randomBytes">;
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
  { keys, charges, platform, force = false }: ChargeScriptCall,
): Promise<Charged> {
  const now = platform.now();
  const names: string[] = [];
  const args: (string | number)[] = [now];
  for (const charge of charges) {
    const { policy, cost, most, enforced } = charge;
    const algorithm = algorithmOf(policy);
    const mode: Mode = force ? "force" : enforced ? "enforce" : "shadow";
    names.push(...algorithm.keys(keys, charge, now));
    args.push(policy.algorithm, mode, policy.limit, policy.windowMs, cost, most);
    args.push(...algorithm.arguments(policy, platform.randomBytes));
  }
  const reply = await batch.run<unknown>(chargeScript, names, args);
  if (!Array.isArray(reply) || reply.length !== charges.length + 1) throw notUnderstood();
  // What is neither yes nor no must not pass for a denial.
  if (reply[0] !== 0 && reply[0] !== 1) throw notUnderstood();
  const admitted = reply[0] === 1;
  const entries = charges.map((charge, index) => readEntry(charge, reply[index + 1], now, admitted));
  return { admitted, entries, at: now };
}

function readEntry({ policy, cost }: Charge, reply: unknown, now: number, admitted: boolean): Entry {
  if (!Array.isArray(reply)) throw notUnderstood();
  const [taken = Number.NaN, ...facts] = reply.map(Number);
  if (facts.length < 2 || ![taken, ...facts].every(Number.isFinite)) throw notUnderstood();
  const counts = algorithmOf(policy).parse(facts, { quota: policy, cost, taken, now });
  return { counts, taken, short: taken === 0 && (admitted || available(policy, counts, now) < cost) };
}

function notUnderstood(): StoreError {
  return new StoreError("malformed", "The reply of the limits' script has another shape");
}
