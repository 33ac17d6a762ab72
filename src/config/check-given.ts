import { ConfigError, type ConfigIssue, shown } from "./config-error.ts";

/** How the value of one option, or of one key of an object, is checked. */
export interface OptionRule {
  /** What is to be done about a value; null where it is good. */
  fix(value: unknown): string | null;
  /** It may be left out. */
  optional?: true;
}

export type OptionRules = Readonly<Record<string, OptionRule>>;

/** How a value is told in an error. */
type Told = (value: unknown) => string;

/**
 * Holds the options object of a public function to its rules.
 *
 * @param place The function's name.
 * @param told Default as it is; a secret, and what is personal, is described.
 * @throws ConfigError that names each option with an issue, what was found and the fix.
 */
export function checkGiven(given: unknown, place: string, rules: OptionRules, told?: Told): void {
  const issues = issuesOfGiven(given, place, rules, ": ", told);
  if (issues.length > 0) throw new ConfigError(issues);
}

/** The issues of an object. @param between Stands between the place and a name. */
export function issuesOfGiven(
  given: unknown,
  place: string,
  rules: OptionRules,
  between: string,
  told: Told = shown,
): ConfigIssue[] {
  if (!isObject(given)) return [{ place, found: told(given), fix: "Must be an object." }];
  return Object.keys({ ...rules, ...given }).flatMap((name): ConfigIssue[] => {
    const here = `${place}${between}${name}`;
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    const value = given[name];
    if (!rule) return value === undefined ? [] : [unknownKey(here)];
    const fix = value === undefined && rule.optional ? null : rule.fix(value);
    return fix === null ? [] : [{ place: here, found: told(value), fix }];
  });
}

/** Whether it is one with members: no list, and no promise of one, which has none. */
export function isObject(given: unknown): given is Readonly<Record<string, unknown>> {
  return typeof given === "object" && given !== null && !Array.isArray(given) && !(given instanceof Promise);
}

/** An issue of an option, or of a key, that there is none of. */
export function unknownKey(place: string): ConfigIssue {
  return {
    place,
    found: "a key that does not exist",
    fix: "Remove it, or find the right name in the docs.",
  };
}
