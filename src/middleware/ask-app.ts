import { ConfigError } from "../config/config-error.ts";
import type { ToldByApp } from "../edge/admission.ts";
import type { Identifier } from "../identity/caller-hash.ts";
import type { CountedKey } from "../request/capability.ts";
import { isNobody } from "../runtime/nobody.ts";
import type { AppContext, EdgeOptions, KeyFunction, LimitKey, MiddlewareLimit } from "./options.ts";

/** What the app's functions say of requests, as far as it has given any. */
export type AskApp = (c: AppContext, identifier: Pick<Identifier, "hash">) => Promise<ToldByApp>;

/** Each key is one more count in Redis: a list that a client sends must not become a thousand. */
const MAX_KEYS = 8;

/** What a limit's `by` means without any key: a key of that name would be asked for by nobody, or counted in their place. */
const BUILT_IN: readonly string[] = ["caller", "address"];

/**
 * @param cacheKey What `cache.key` says; absent where nothing is cached.
 * @returns null where the options have no function.
 */
export function askApp(
  options: EdgeOptions,
  cacheKey?: (options: EdgeOptions, ...asked: Parameters<AskApp>) => Promise<Pick<ToldByApp, "cacheKey">>,
): AskApp | null {
  const { key, tier, skip, cost, cache, limits, tiers } = options;
  const counted = countedBy({ limits, tiers });
  const functions = keyFunctions(key);
  const named = [...counted.values()].find((by) => by !== "caller");
  if (!key && !tier && !skip && !cost && cache?.key === undefined && named === undefined) return null;

  return async function ask(c, identifier) {
    checkKeys(functions);
    const cached = await cacheKey?.(options, c, identifier);
    const skipped = await skip?.(c);
    // Such as a text "false", or the function that was to be called: each would let everybody pass.
    if (skipped && skipped !== true) throw issue("skip", kindOf(skipped), "Return true or false.");
    const units = skipped ? 0 : cost && costOf(await cost(c));
    if (units === 0) return { unlimited: true, ...cached };
    const plan = textOf(await tier?.(c), "tier");
    // Without any key there is nobody to count in the caller's place.
    const keys = functions.length > 0 && (await keysOf(c, identifier));
    if (!keys && named !== undefined) throw misnamed(named, []);
    const counting = {
      ...(keys && { keys, countedBy: counted }),
      ...(units !== undefined && { cost: units }),
      ...(plan !== null && { tier: plan }),
    };
    return { counting, ...cached };
  };

  async function keysOf(c: AppContext, { hash }: Pick<Identifier, "hash">): Promise<CountedKey[]> {
    const names = functions.map(([name]) => name);
    for (const name of counted.values())
      if (name !== "caller" && !names.includes(name)) throw misnamed(name, names);
    const keys: CountedKey[] = [];
    for (const [name, keyOf] of functions) {
      const found = await keyOf(c);
      const list = isList(found) ? found : [found];
      for (const [place, each] of (list.length > 0 ? list : [null]).entries()) {
        const text = textOf(each, name === "" ? "key" : `key.${name}`);
        // The name and the place are part of it: a tenant and a user of one name are two.
        keys.push({ name, hash: text === null ? "" : await hash(`key ${name} ${place}`, encodable(text)) });
      }
    }
    if (keys.length > MAX_KEYS) throw issue("key", `${keys.length} keys`, `Return ${MAX_KEYS} at most.`);
    return keys;
  }
}

function keyFunctions(key: EdgeOptions["key"]): [name: string, keyOf: KeyFunction][] {
  return typeof key === "function" ? [["", key]] : Object.entries(key ?? {});
}

/** @throws ConfigError */
function checkKeys(functions: readonly (readonly [name: string, keyOf: unknown])[]): void {
  for (const [name, keyOf] of functions) {
    const place = name === "" ? "key" : `key.${name}`;
    if (BUILT_IN.includes(name)) throw issue(place, "a name that `by` has already", "Give the key another.");
    if (typeof keyOf !== "function") throw issue(place, kindOf(keyOf), "Write a function.");
  }
}

interface Lists {
  limits: EdgeOptions["limits"] | undefined;
  tiers: EdgeOptions["tiers"] | undefined;
}

/** Whose count a limit has, by tier, a space and its name, for those that say so otherwise than by `address`. */
function countedBy({ limits, tiers }: Lists): ReadonlyMap<string, string> {
  const lists = [["", limits] as const, ...Object.entries(tiers ?? {})];
  return new Map(
    lists.flatMap(([tier, list]) =>
      (Array.isArray(list) ? (list as readonly Partial<MiddlewareLimit>[]) : []).flatMap((limit) => {
        const by = limit?.by;
        return typeof by === "string" && by !== "address" ? [[`${tier} ${limit.name}`, by] as const] : [];
      }),
    ),
  );
}

/** The same limits as a route takes them. */
export function withoutKeyNames<Limits extends readonly MiddlewareLimit[]>(limits: Limits): Limits {
  if (!Array.isArray(limits)) return limits;
  return limits.map((limit: MiddlewareLimit) => {
    if (typeof limit !== "object" || limit === null) return limit;
    // A copy: what the app does to its options later changes no limit.
    const { by, ...rest } = limit;
    return by === undefined || by === "address" || by === "caller" || typeof by !== "string"
      ? { ...limit }
      : rest;
  }) as unknown as Limits;
}

/** @returns null where it is nobody's. @throws ConfigError for what is no key. */
export function textOf(value: LimitKey, place: string, isNothing = isNobody): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string") return isNothing(value) ? null : value;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : null;
  throw issue(place, kindOf(value), "Return a text or a number; null where there is none.");
}

/** UTF-8 has one character for all halves of surrogate pairs: texts with one, as JSON may have them, would share a count. */
function encodable(text: string): string {
  return /\p{Surrogate}/u.test(text) ? `\0${JSON.stringify(text)}` : text;
}

/** Whole units. @throws ConfigError */
function costOf(value: number): number {
  if (typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return Math.ceil(value);
  const found = typeof value === "number" ? String(value) : kindOf(value);
  throw issue("cost", found, "Return a number of units, 0 or more.");
}

export function isList(found: LimitKey | readonly LimitKey[]): found is readonly LimitKey[] {
  return Array.isArray(found);
}

function misnamed(by: string, names: readonly string[]): ConfigError {
  const known = names.filter((name) => name !== "").join(", ");
  return issue(
    "limits: by",
    `"${by}"`,
    `There is no such key: name one of key: { … } (${known || "none"}), "caller" or "address".`,
  );
}

/** Never the value: it may be a secret. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  const kind = typeof value;
  return kind === "undefined" ? "nothing" : `${kind === "object" ? "an" : "a"} ${kind}`;
}

export function issue(place: string, found: string, fix: string): ConfigError {
  return new ConfigError([{ place: `rateLimit: ${place}`, found, fix }]);
}
