import { parseArgs } from "node:util";
import { nearest } from "../check/nearest.ts";

interface StartOption {
  type: "string" | "boolean";
  /** How the help writes its value; without one the option takes none. */
  value?: string;
  default?: string | boolean;
  short?: string;
  /** A port: a number from 0 (any free one) to 65535. */
  port?: true;
  /** The help's sentence. */
  says: string;
}

/** Every option of `npm start`. What is read, what `--help` lists and what an unknown option is compared with follow from this table. */
export const startOptions = {
  origin: {
    type: "string",
    value: "URL",
    says: "your API, such as http://localhost:4000; default ORIGIN_URL of the environment or of .dev.vars, else a sample API",
  },
  port: { type: "string", value: "N", default: "8787", port: true, says: "the edge's port" },
  "page-port": {
    type: "string",
    value: "N",
    port: true,
    says: "the page's port; default the edge's plus one, or any free one",
  },
  "origin-port": { type: "string", value: "N", default: "0", port: true, says: "the sample API's port" },
  "upstash-port": { type: "string", value: "N", default: "0", port: true, says: "the local store's port" },
  env: {
    type: "string",
    value: "NAME",
    says: "an environment of wrangler.toml; its .dev.vars.NAME takes the place of .dev.vars",
  },
  "no-store": { type: "boolean", says: "run without Redis: everything lives in the isolate's memory" },
  database: {
    type: "boolean",
    says: "sessions in a local D1 database as well, as docs/sessions.md#in-a-database says: an outage of Redis ends none",
  },
  "no-page": { type: "boolean", says: "run without the page" },
  verbose: { type: "boolean", says: "print every line that the Worker logs" },
  help: { type: "boolean", short: "h", says: "print this" },
} as const satisfies Record<string, StartOption>;

export interface StartOptions {
  origin?: string;
  env?: string;
  port: number;
  /** Undefined: the port after the edge's, or any free one. */
  pagePort?: number;
  originPort: number;
  upstashPort: number;
  store: boolean;
  database: boolean;
  page: boolean;
  verbose: boolean;
  help: boolean;
}

/** What was typed cannot be used. The message is for the terminal. */
export class OptionError extends Error {
  override readonly name = "OptionError";
  readonly code = "start-option";
}

const table: Readonly<Record<string, StartOption>> = startOptions;
const SEE_HELP = "npm start -- --help lists every option.";

/**
 * Reads the arguments of `npm start`.
 *
 * @throws OptionError that names the option that is unknown or has no usable value.
 * @example readStartOptions(["--origin", "http://localhost:4000", "--no-store"])
 */
export function readStartOptions(args: readonly string[]): StartOptions {
  const { values, tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      Object.entries(table).map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") throw new OptionError(positionalFound(token.value));
    if (token.kind === "option") checkOption(token);
  }
  const text = (name: string) => (typeof values[name] === "string" ? values[name] : undefined);
  const number = (name: string) => {
    const value = text(name) ?? table[name]?.default;
    return typeof value === "string" ? Number(value) : undefined;
  };
  const origin = text("origin");
  const env = text("env");
  const pagePort = number("page-port");
  return {
    ...(origin !== undefined && { origin }),
    ...(env !== undefined && { env }),
    ...(pagePort !== undefined && { pagePort }),
    port: number("port") ?? 0,
    originPort: number("origin-port") ?? 0,
    upstashPort: number("upstash-port") ?? 0,
    store: values["no-store"] !== true,
    database: values.database === true,
    page: values["no-page"] !== true,
    verbose: values.verbose === true,
    help: values.help === true,
  };
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.entries(table).map(([name, { value, short, default: usual, says }]) => ({
    left: `${short ? `-${short}, ` : ""}--${name}${value ? ` ${value}` : ""}`,
    right: usual === undefined ? says : `${says} (${usual === "0" ? "any free one" : usual})`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return [
    "npm start [-- OPTIONS]: runs the edge on this machine, without an account.",
    "",
    ...rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`),
    "",
    "Variables come from .dev.vars (or .env), as under wrangler dev. What it does not name is made for the run.",
  ].join("\n");
}

type OptionToken = { name: string; rawName: string; value?: string | undefined };

function checkOption({ name, rawName, value }: OptionToken): void {
  const option = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!option) throw new OptionError(`Unknown option ${rawName}.${suggestion(name)} ${SEE_HELP}`);
  if (option.type === "boolean") {
    if (value !== undefined) throw new OptionError(`${rawName} takes no value, not ${value}.`);
    return;
  }
  // The next argument is an option: no value was typed.
  if (value === undefined || value === "" || /^--\w/.test(value)) {
    throw new OptionError(`${rawName} needs a value: ${rawName} ${option.value}.`);
  }
  if (option.port && !(/^\d{1,5}$/.test(value) && Number(value) <= 65_535)) {
    throw new OptionError(`${rawName} is a number from 0 to 65535, not ${value}.`);
  }
}

function positionalFound(value: string): string {
  return `Unexpected argument ${value}. npm keeps options for itself unless they stand after "--": npm start -- --origin http://localhost:4000. ${SEE_HELP}`;
}

function suggestion(name: string): string {
  const meant = nearest(name, Object.keys(table)).map((each) => `--${each}`);
  return meant.length > 0 ? ` Did you mean ${meant.join(" or ")}?` : "";
}
