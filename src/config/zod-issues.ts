import type * as z from "zod/mini";
import { unknownKey } from "./check-given.ts";
import { type ConfigIssue, shown } from "./config-error.ts";

/** What zod says where the schema says nothing. */
const DEFAULT_MESSAGE = "Invalid input";

/** What a schema complained of, as issues with their place: `routes[1].limits[0].limit`. */
export function issuesOf(error: z.core.$ZodError, place: string, input: unknown): ConfigIssue[] {
  return error.issues.flatMap((issue): ConfigIssue[] => {
    const at = issue.path.reduce<string>(
      (path, key) => (typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`),
      place,
    );
    const found = shown(valueAt(input, issue.path));
    if (issue.message !== DEFAULT_MESSAGE) return [{ place: at, found, fix: issue.message }];
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => unknownKey(`${at}.${key}`));
      case "invalid_type":
        return [{ place: at, found, fix: `Must be ${article(issue.expected)}.` }];
      case "invalid_value":
        return [
          {
            place: at,
            found,
            fix: `Must be one of ${issue.values.map((value) => shown(value)).join(", ")}.`,
          },
        ];
      case "invalid_key":
        return [
          { place: at, found: shown(issue.path.at(-1)), fix: issue.issues[0]?.message ?? issue.message },
        ];
      default:
        return [{ place: at, found, fix: issue.message }];
    }
  });
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
}
