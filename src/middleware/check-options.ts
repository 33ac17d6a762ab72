import { checkGiven, isObject, type OptionRule, type OptionRules } from "../config/check-given.ts";
import { oneOf } from "../config/limit-input.ts";
import type { EdgeOptions } from "./options.ts";

const rule = (isGood: (value: unknown) => boolean, fix: string): OptionRule => ({
  fix: (value) => (isGood(value) ? null : fix),
  optional: true,
});
const isFunction = (value: unknown) => typeof value === "function";
const aFunction = rule(isFunction, "Must be a function.");
const object = rule(isObject, "Must be an object.");

export const sinksRule = rule(
  (value) => Array.isArray(value) && value.every((sink) => isFunction(Object(sink).receive)),
  "Must be a list of objects with a function receive.",
);

/** What a list of limits, a rule of the cache and its invalidations hold is checked where it is read. */
const OPTIONS: OptionRules = {
  limits: rule(() => true, ""),
  tiers: object,
  key: rule((value) => isFunction(value) || isObject(value), "Must be a function, or an object of them."),
  tier: aFunction,
  skip: aFunction,
  cost: aFunction,
  onLimited: aFunction,
  onStoreFailure: { fix: oneOf(["local", "open", "closed"]), optional: true },
  session: { fix: oneOf(["required", "optional"]), optional: true },
  cache: object,
  invalidates: object,
  sinks: sinksRule,
};

/** @throws ConfigError for a value that an option cannot have, and for an option that there is none of: it would do nothing. */
export function checkOptions(options: EdgeOptions): void {
  checkGiven(options, "edge", OPTIONS);
}
