import {
  type ClaimedSession,
  luaSessionOutcome,
  SESSION_ARGUMENTS,
  sessionArguments,
  sessionKeys,
} from "../identity/session-outcome.ts";
import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { notUnderstood } from "../store/errors.ts";
import { readAlsoLate } from "../store/given-up.ts";
import type { Keys } from "../store/keys.ts";
import { listIn } from "../store/replies.ts";
import { defineScript } from "../store/script.ts";
import type { Algorithm } from "./algorithms/algorithm.ts";
import { algorithmOf, algorithms, available } from "./algorithms/algorithms.ts";
import type { Charge, Charged, ChargedOutcome, Entry } from "./charge.ts";

/**
 * All windows of a request in one atomic step: read every counter, and if each enforced window has room for its cost,
 * charge all; else none. The formulas and the keys of windows and buckets are those of @upstash/ratelimit, so that either
 * may count where the other did; unlike it, a denied request moves no counter, whatever its cost and algorithm.
 *
 * It is given one list of windows, or two: one for the case that the request's session lives, one for the case that it is
 * over. Then it decides which is the case and leaves the other list alone.
 *
 * KEYS: with two lists those of the session; then per window those of its algorithm.
 * ARGV: now (ms, the Worker's clock), `all` or `outcome`; for `outcome` the session's arguments and the number of windows in
 * the first list; then per window: algorithm, mode, limit, window (ms), cost, most, and the algorithm's own arguments. The
 * mode is `enforce`, `shadow`, or `force`: count it, room or not, as what an outage left to be counted.
 *
 * Another program's text is no count: below zero, infinite or NaN it would let everybody pass, or nobody. The script fails on it, and
 * the isolate counts.
 *
 * Replies 1 or 0 (admitted), the session's outcome (1 alive, or only one list; 2 absent; 3 ended), then per window of the list
 * that was used: units taken and what the algorithm tells of its counts.
 */
const chargeScript = defineScript(`#!lua flags=allow-key-locking
local now = tonumber(ARGV[1])
local function count(text)
  local number = tonumber(text)
  assert(number and number >= 0 and number < math.huge)
  return number
end
local algorithms = {}
${Object.entries(algorithms).map(luaOf).join("\n")}
${luaSessionOutcome}

local outcome, key, arg, first, last = 1, 0, 3, 1, math.huge
if ARGV[2] == "outcome" then
  local size
  outcome, key = session_outcome(3)
  arg = 4 + ${SESSION_ARGUMENTS}
  size = tonumber(ARGV[arg - 1])
  if outcome == 1 then last = size else first = size + 1 end
end
local limits, strings, window = {}, {}, 0
while arg <= #ARGV do
  local algorithm = algorithms[ARGV[arg]]
  window = window + 1
  if window >= first and window <= last then
    local l = {
      algorithm = algorithm, mode = ARGV[arg + 1], limit = tonumber(ARGV[arg + 2]),
      window = tonumber(ARGV[arg + 3]), cost = tonumber(ARGV[arg + 4]), most = tonumber(ARGV[arg + 5]),
      key = KEYS[key + 1], values = {}, place = #strings, taken = 0
    }
    for each = 1, algorithm.arguments do l[each] = ARGV[arg + 5 + each] end
    if algorithm.strings then
      for each = 1, algorithm.keys do strings[#strings + 1] = KEYS[key + each] end
    end
    limits[#limits + 1] = l
  end
  key = key + algorithm.keys
  arg = arg + 6 + algorithm.arguments
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

local reply = { admitted, outcome }
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

export interface ChargeScriptOptions {
  keys: Keys;
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
  charges: readonly Charge[],
  options: ChargeScriptOptions,
): Promise<Charged> {
  const now = options.platform.now();
  const { names, args } = windowsOf(charges, now, options);
  const reply = batch.run(chargeScript, names, [now, "all", ...args]);
  return readAlsoLate(reply, (given) => {
    const { state: _, ...charged } = readReply(given, [charges], now);
    return charged;
  });
}

/** What the script replies for a session that a tombstone, a mark or the version ends. */
const ENDED = 3;

/** Two lists of charges for one request, of which the state of its session in Redis selects one. */
export interface OutcomeCharges {
  session: ClaimedSession;
  alive: readonly Charge[];
  over: readonly Charge[];
}

/** As {@link chargeByScript}, for the list that the script selects. */
export async function chargeOutcomeByScript(
  batch: Batch,
  { session, alive, over }: OutcomeCharges,
  options: ChargeScriptOptions,
): Promise<ChargedOutcome> {
  const now = options.platform.now();
  const { names, args } = windowsOf([...alive, ...over], now, options);
  const reply = batch.run(
    chargeScript,
    [...sessionKeys(options.keys, session), ...names],
    [now, "outcome", ...sessionArguments(session), alive.length, ...args],
  );
  return readAlsoLate(reply, (given) => {
    const { state, ...charged } = readReply(given, [alive, over, over], now);
    return { ...charged, outcome: state === 1 ? "alive" : "over", evidence: state === ENDED };
  });
}

function windowsOf(
  charges: readonly Charge[],
  now: number,
  { keys, platform, force = false }: ChargeScriptOptions,
) {
  const names: string[] = [];
  const args: (string | number)[] = [];
  for (const charge of charges) {
    const { policy, cost, most, enforced } = charge;
    const algorithm = algorithmOf(policy);
    const mode: Mode = force ? "force" : enforced ? "enforce" : "shadow";
    names.push(...algorithm.keys(keys, charge, now));
    args.push(policy.algorithm, mode, policy.limit, policy.windowMs, cost, most);
    args.push(...algorithm.arguments(policy, platform.randomBytes));
  }
  return { names, args };
}

function readReply(
  reply: unknown,
  lists: readonly (readonly Charge[])[],
  now: number,
): Charged & { state: number } {
  const [yesOrNo, state, ...facts] = listIn(reply);
  // What is neither yes nor no must not pass for a denial.
  if (yesOrNo !== 0 && yesOrNo !== 1) throw notUnderstood();
  const charges = typeof state === "number" ? lists[state - 1] : undefined;
  if (typeof state !== "number" || charges?.length !== facts.length) throw notUnderstood();
  const admitted = yesOrNo === 1;
  const entries = charges.map((charge, index) => readEntry(charge, facts[index], now, admitted));
  return { admitted, entries, at: now, state };
}

function readEntry({ policy, cost }: Charge, reply: unknown, now: number, admitted: boolean): Entry {
  const [taken = Number.NaN, ...facts] = listIn(reply).map(Number);
  if (facts.length < 2 || ![taken, ...facts].every(Number.isFinite)) throw notUnderstood();
  const counts = algorithmOf(policy).parse(facts, { quota: policy, cost, taken, now });
  return { counts, taken, short: taken === 0 && (admitted || available(policy, counts, now) < cost) };
}
