import { type ConfigIssue, described, shown } from "./config-error.ts";

/** The environment as the Worker gets it: texts, and values that wrangler.toml writes as numbers, booleans or arrays. */
export type Environment = Record<string, unknown>;

/**
 * Reads variables one at a time and collects what is wrong with them, so that one error names every issue. An empty
 * text counts as unset: `VAR = ""` is how people switch a variable off.
 */
export class Variables {
  readonly #env: Environment;
  readonly #issues: ConfigIssue[];

  constructor(env: Environment, issues: ConfigIssue[]) {
    this.#env = env;
    this.#issues = issues;
  }

  raw(name: string): unknown {
    const value = this.#env[name];
    return value === "" || value === null ? undefined : value;
  }

  text(name: string): string | null {
    const value = this.raw(name);
    if (value === undefined) return null;
    if (typeof value === "string") return value.trim() || null;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    this.wrong(name, shown(value), "Must be a text.");
    return null;
  }

  /** A text that errors may describe but never show. */
  secret(name: string): string | null {
    const value = this.raw(name);
    if (value === undefined) return null;
    if (typeof value === "string") return value.trim() || null;
    this.wrong(name, described(value), "Must be a text.");
    return null;
  }

  /** Comma separated secrets, newest first, each at least `shortest` characters. */
  secrets(name: string, shortest: number): string[] {
    const list = (this.secret(name) ?? "")
      .split(",")
      .map((each) => each.trim())
      .filter(Boolean);
    list.forEach((each, index) => {
      if (each.length >= shortest) return;
      const which = list.length > 1 ? ` (number ${index + 1})` : "";
      this.wrong(
        name,
        `${described(each)}${which}`,
        `Use at least ${shortest}: \`openssl rand -base64 32\` makes a good one.`,
      );
    });
    return list;
  }

  list(name: string): string[] {
    return (this.text(name) ?? "")
      .split(",")
      .map((each) => each.trim())
      .filter(Boolean);
  }

  integer(name: string, fallback: number, range: { least?: number; most?: number } = {}): number {
    const { least = 0, most = Number.MAX_SAFE_INTEGER } = range;
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const number =
      typeof value === "number" ? value : typeof value === "string" ? Number(value.trim()) : Number.NaN;
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    const limits = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    this.wrong(name, shown(value), `Must be a whole number ${limits}.`);
    return fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const text = String(value).trim().toLowerCase();
    if (text === "true" || text === "1" || text === "yes" || text === "on") return true;
    if (text === "false" || text === "0" || text === "no" || text === "off") return false;
    this.wrong(name, shown(value), "Must be true or false.");
    return fallback;
  }

  choice<Name extends string>(name: string, choices: readonly Name[], fallback: Name): Name {
    const value = this.text(name);
    if (value === null) return fallback;
    const chosen = choices.find((choice) => choice === value.toLowerCase());
    if (chosen) return chosen;
    this.wrong(name, shown(value), `Must be one of ${choices.join(", ")}.`);
    return fallback;
  }

  /** An absolute http(s) address without user, query or fragment. */
  url(name: string): URL | null {
    const value = this.text(name);
    if (value === null) return null;
    const url = URL.canParse(value) ? new URL(value) : null;
    const good = url && (url.protocol === "https:" || url.protocol === "http:");
    if (!url || !good) {
      this.wrong(name, shown(value), "Must be an address such as https://api.example.com.");
      return null;
    }
    if (url.username || url.password || url.search || url.hash) {
      this.wrong(name, "an address with user, query or fragment", "Leave only scheme, host, port and path.");
      return null;
    }
    return url;
  }

  /** A path of the edge's own: starts with `/`, ends without. */
  path(name: string, fallback: string): string {
    const value = this.text(name);
    if (value === null) return fallback;
    if (/^(\/[A-Za-z0-9._~-]+)+$/.test(value)) return value;
    this.wrong(name, shown(value), `Must be a path such as ${fallback}: a / first, none last, no patterns.`);
    return fallback;
  }

  wrong(place: string, found: string, fix: string): void {
    this.#issues.push({ place, found, fix });
  }
}
