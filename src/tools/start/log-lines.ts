/** A line of the Worker's log. `docs/architecture.md` lists the events. */
export interface LogLine {
  level: string;
  event: string;
  [field: string]: unknown;
}

/** The line as an event of the Worker; null: a text that a handler of the developer has written. */
export function logLine(text: string): LogLine | null {
  if (!text.startsWith("{")) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isLogLine(value) ? value : null;
  } catch {
    return null;
  }
}

function isLogLine(value: unknown): value is LogLine {
  return typeof value === "object" && value !== null && "level" in value && "event" in value;
}

/** More than a line is ever on its way to this process. */
const ON_ITS_WAY_MS = 10_000;

/**
 * When a line was written, ms since the epoch by the clock of this process. workerd keeps a clock of its own, which does not follow where
 * somebody sets the machine's: then the line's arrival is nearer, and its request is still found among the server's lines.
 *
 * @param told By workerd.
 */
export function writtenAt(told: number, now = Date.now()): number {
  return Math.abs(now - told) > ON_ITS_WAY_MS ? now : told;
}

/** Which fields of a line repeat what its first word says. */
const LEFT_OUT = new Set(["time", "level", "event", "message", "request_id"]);

/** A warning or an error as a plain line; null for other levels. */
export function plainLine(line: LogLine): string | null {
  if (line.level !== "warn" && line.level !== "error") return null;
  const word = line.level === "warn" ? "warning" : "error";
  if (typeof line.message === "string") return `${word}: ${line.message}`;
  if (line.event === "request")
    return `${word}: ${line.method} ${line.route} → ${line.status} ${line.verdict}`;
  const fields = Object.entries(line)
    .filter(([name, value]) => !LEFT_OUT.has(name) && value !== null)
    .map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return `${word}: ${[line.event, ...fields].join(", ")}`;
}
