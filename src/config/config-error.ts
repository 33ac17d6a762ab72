/** One issue in the configuration. */
export interface ConfigIssue {
  /** The option, the variable, or the place in the routes: `createEdge: cache.ttlSeconds (REDIS_CACHE_TTL)`, `routes[2].limits[0].window`. */
  place: string;
  /** What stands there now. Secrets are described (`a text of 12 characters`), never shown. */
  found: string;
  /** What to do about it. */
  fix: string;
}

/**
 * All issues of a configuration at once, or of the options of one function: `createEdge()`, `createLimits()`, `createRequester()` and what a
 * handler calls throw it where they are given them. Where an issue of a middleware shows only with a request, it is in the log as the
 * event `config.error`, and whoever calls sees a 500 without any of this.
 *
 * @example
 * import { ConfigError, createEdge } from "envoyou-edge";
 *
 * try {
 *   createEdge({ storeDeadlineMs: -1 });
 * } catch (error) {
 *   if (error instanceof ConfigError) for (const { place, found, fix } of error.issues) console.error(place, found, fix);
 * }
 */
export class ConfigError extends RangeError {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "ConfigError";
  /** The code of the problem that requests get. */
  readonly code = "CONFIG_ERROR";
  /** Every issue, in the order of the configuration. */
  readonly issues: readonly ConfigIssue[];

  /**
   * The error of some issues: its message lists them, one on a line.
   *
   * @param issues Every issue.
   */
  constructor(issues: readonly ConfigIssue[]) {
    super(
      [
        `The configuration has ${issues.length === 1 ? "an issue" : `${issues.length} issues`}:`,
        ...issues.map(({ place, found, fix }) => `  ${place}: found ${found}. ${fix}`),
      ].join("\n"),
    );
    this.issues = issues;
  }
}

/** A value for an error message: short, and on one line. */
export function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  let text: string | undefined;
  try {
    text = typeof value === "number" ? String(value) : JSON.stringify(value);
  } catch {
    // A circle, or a bigint: its type says enough.
  }
  text ??= described(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A secret for an error message. */
export function described(value: unknown): string {
  if (value === undefined || value === "") return "nothing";
  if (typeof value === "string") return `a text of ${value.length} characters`;
  return value === null ? "null" : `a value of type ${typeof value}`;
}
