/** One mistake in the configuration. */
export interface ConfigMistake {
  /** The variable, or the place in the routes: `routes[2].limits[0].window`. */
  place: string;
  /** What stands there now. Secrets are described (`a text of 12 characters`), never shown. */
  found: string;
  /** What to do about it. */
  mend: string;
}

/** All mistakes of a configuration at once. Whoever calls the API sees a 500 without any of this. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG_ERROR";
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: readonly ConfigMistake[]) {
    super(
      [
        `The configuration has ${mistakes.length === 1 ? "a mistake" : `${mistakes.length} mistakes`}:`,
        ...mistakes.map(({ place, found, mend }) => `  ${place}: found ${found}. ${mend}`),
      ].join("\n"),
    );
    this.mistakes = mistakes;
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
