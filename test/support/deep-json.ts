/** A list, an object, or both by turns, so often within itself. A name that is a number is kept apart in an object. */
export const DEEP_JSON = {
  lists: (times: number) => `${"[".repeat(times)}1${"]".repeat(times)}`,
  objects: (times: number) => `${'{"a":'.repeat(times)}1${"}".repeat(times)}`,
  "objects whose members have numbers as names": (times: number) =>
    `${'{"0":'.repeat(times)}1${"}".repeat(times)}`,
  "lists in objects": (times: number) => `${'{"a":['.repeat(times / 2)}1${"]}".repeat(times / 2)}`,
} as const;

/** More levels than any stack has room for; a client's fields have room for some ten thousand. */
export const DEEP = 40_000;
