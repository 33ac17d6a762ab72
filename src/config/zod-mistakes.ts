import type * as z from "zod/mini";
import { type ConfigMistake, shown } from "./config-error.ts";

/** What a schema complained of, as mistakes with their place: `routes[1].limits[0].limit`. */
export function mistakesOf(error: z.core.$ZodError, place: string, input: unknown): ConfigMistake[] {
  return error.issues.flatMap((issue): ConfigMistake[] => {
    const at = issue.path.reduce<string>(
      (path, key) => (typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`),
      place,
    );
    const found = shown(valueAt(input, issue.path));
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          place: `${at}.${key}`,
          found: "a key that does not exist",
          mend: 'Remove it, or look for the right name in README.md ("Routes").',
        }));
      case "invalid_type":
        return [{ place: at, found, mend: `Must be ${article(issue.expected)}.` }];
      case "invalid_value":
        return [
          {
            place: at,
            found,
            mend: `Must be one of ${issue.values.map((value) => shown(value)).join(", ")}.`,
          },
        ];
      default:
        return [{ place: at, found, mend: issue.message }];
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
