/** A request's commands, or what is wrong with them. */
export type ParsedBody =
  | { kind: "commands"; commands: (string | Buffer)[][] }
  | { kind: "malformed"; error: string };

/**
 * Reads a body: one command (`["GET","a"]`) where `single`, else a list of them. Every argument becomes the string that
 * Redis gets.
 */
export function parseBody(text: string, single: boolean): ParsedBody {
  let body: unknown;
  try {
    body = JSON.parse(text, keepNumber);
  } catch {
    return malformed("ERR failed to parse the request body as JSON");
  }
  const commands: unknown = single ? [body] : body;
  if (!Array.isArray(commands) || commands.length === 0) {
    return malformed("ERR the body must be a list of commands, and not empty");
  }
  const parsed: string[][] = [];
  for (const command of commands as unknown[]) {
    if (!Array.isArray(command) || command.length === 0) {
      return malformed("ERR a command must be a list, and not empty");
    }
    parsed.push(command.map(argument));
  }
  return { kind: "commands", commands: parsed };
}

const malformed = (error: string): ParsedBody => ({ kind: "malformed", error });

/** A JSON number as it was written, because a double keeps only 15 digits. */
class WrittenNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toJSON(): number {
    return Number(this.source);
  }
}

function keepNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" ? new WrittenNumber(context?.source ?? String(value)) : value;
}

function argument(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof WrittenNumber) return decimal(value.source);
  return JSON.stringify(value);
}

/** The largest exponent of a double. A larger one would expand a short text without bound. */
const LARGEST_EXPONENT = 400;

/** `1e+06` as `1000000`: Redis would refuse the former as a TTL, and store it as another string. */
function decimal(source: string): string {
  const [, sign = "", whole = "", fraction = "", exponent] =
    /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(source) ?? [];
  const shift = Number(exponent);
  if (exponent === undefined || Math.abs(shift) > LARGEST_EXPONENT) return source;
  const point = whole.length + shift;
  const digits = point > 0 ? (whole + fraction).padEnd(point, "0") : "0".repeat(1 - point) + whole + fraction;
  const cut = Math.max(point, 1);
  const integer = digits.slice(0, cut).replace(/^0+(?=\d)/, "");
  const rest = digits.slice(cut).replace(/0+$/, "");
  return sign + integer + (rest && `.${rest}`);
}
