/** One issue in the configuration. */
export interface ConfigIssue {
  /** The variable, or the place in the routes: `routes[2].limits[0].window`. */
  place: string;
  /** What stands there now. Secrets are described (`a text of 12 characters`), never shown. */
  found: string;
  /** What to do about it. */
  fix: string;
}

/** All issues of a configuration at once. Whoever calls the API sees a 500 without any of this. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_ERROR";
  readonly issues: readonly ConfigIssue[];

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
  const text = typeof value === "string" ? JSON.stringify(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}

/** A secret for an error message. */
export function described(value: unknown): string {
  if (value === undefined || value === "") return "nothing";
  return typeof value === "string" ? `a text of ${value.length} characters` : `a ${typeof value}`;
}
