/**
 * Why a call to the store failed. Only an error sends a capability to its local counterpart; a reply that says "no" is a
 * value (law 2).
 *
 * - `timeout`: no complete answer within the deadline. The commands may have been applied.
 * - `unreachable`: the connection was refused, reset or cut. The commands may have been applied.
 * - `unauthorized`: 401 or 403; the token is wrong.
 * - `throttled`: 429, or Upstash's own limits ("max requests limit exceeded").
 * - `size`: the request or a reply is longer than the store takes: the fault of what is written or read, not of the store.
 * - `server`: another status that is not 2xx, or Redis refuses whatever it is sent (`redisCode`: `LOADING`, `BUSY` …).
 * - `malformed`: a 2xx whose body is no pipeline reply of the right length.
 * - `command`: this command failed (wrong type, out of memory, not permitted …) or cannot be sent; others of the batch may
 *   have succeeded.
 * - `open`: the breaker is open, no call was made.
 * - `absent`: no store is configured, or this capability is kept off it.
 */
export type StoreErrorCode =
  | "timeout"
  | "unreachable"
  | "unauthorized"
  | "throttled"
  | "size"
  | "server"
  | "malformed"
  | "command"
  | "open"
  | "absent";

const NEVER_APPLIED: ReadonlySet<StoreErrorCode> = new Set(["open", "absent", "unauthorized", "size"]);
/** Codes with which Redis refuses writes. In the group: whatever it is sent. */
const REFUSES_WRITES = /^(?:OOM|READONLY|MISCONF|NOREPLICAS|(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN))$/;

/**
 * A failed call to Upstash, or a failed command of one: what the commands of `c.var.redis`, and of a client over `createRequester()`,
 * reject with. Its message never holds a key, a value or a token.
 *
 * @example
 * import { type EdgeVariables, StoreError } from "envoyou-edge";
 *
 * async function visits(redis: EdgeVariables["redis"]): Promise<number | null> {
 *   try {
 *     return await redis.incr("visits");
 *   } catch (error) {
 *     if (error instanceof StoreError) return null; // Upstash is lost: error.code says why.
 *     throw error;
 *   }
 * }
 */
export class StoreError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "StoreError";
  /** Why it failed. */
  readonly code: StoreErrorCode;
  /** HTTP status of the reply, where there was one. */
  readonly status: number | undefined;
  /** The first word of Redis's error (`WRONGTYPE`, `NOSCRIPT`, `NOPERM`, `OOM` …), where the command failed. */
  readonly redisCode: string | undefined;

  /**
   * The error of a call, or of a command.
   *
   * @param code Why it failed.
   * @param message A sentence without keys, values and tokens.
   * @param facts The status of the reply, and the first word of Redis's error, where there were any.
   */
  constructor(code: StoreErrorCode, message: string, facts: { status?: number; redisCode?: string } = {}) {
    super(message);
    this.code = code;
    this.status = facts.status;
    this.redisCode = facts.redisCode;
  }

  /**
   * Whether the commands cannot have run: only then may the caller account for them again. When Redis refuses a script's
   * write because Redis is full, a replica or loading, the script wrote nothing before it either.
   */
  get certainlyNotApplied(): boolean {
    return NEVER_APPLIED.has(this.code) || refusesWrites(this.redisCode);
  }
}

/**
 * Redis's error text for one command, as a StoreError. Of the text only the leading code word is kept: the rest may quote
 * keys and arguments.
 *
 * @param command The name of the command as it was sent. The message names it if it looks like a command's name.
 */
export function commandError(text: string, command?: unknown): StoreError {
  const redisCode = redisCodeOf(text);
  const name = commandName(command);
  const byUpstash = upstashCode(text);
  if (byUpstash) return new StoreError(byUpstash, `Upstash refused ${name}: ${byUpstash}`, { redisCode });
  const code = REFUSES_WRITES.exec(redisCode)?.[1] ? "server" : "command";
  return new StoreError(code, `Redis refused ${name} (${redisCode})`, { redisCode });
}

function upstashCode(text: string): StoreErrorCode | "" {
  if (isQuotaError(text)) return "throttled";
  if (isSizeError(text)) return "size";
  return /^WRONGPASS|^NOAUTH|unauthorized/i.test(text) ? "unauthorized" : "";
}

/** Whether Redis takes no writes, by the code of its refusal: it is full, a replica, loading, or serves nobody. */
export function refusesWrites(redisCode: string | undefined): boolean {
  return REFUSES_WRITES.test(redisCode ?? "");
}

/** Whether an error text says that the token may not send the command: Redis's `NOPERM`, and what Upstash says of a read-only token. */
export function isForbidden(text: string): boolean {
  return /^NOPERM|no permission|read[- ]?only/i.test(text);
}

/** The first word of an error text; `OOM` where Upstash says in its own words that the database is full. */
function redisCodeOf(text: string): string {
  if (/DB capacity quota exceeded/i.test(text)) return "OOM";
  return /^[A-Z]{2,20}(?=\s|$)/.exec(text)?.[0] ?? "ERR";
}

/** A command's name for a message, or "a command": where a name is expected, a caller may have put a value. */
export function commandName(name: unknown): string {
  return typeof name === "string" && /^[a-z][a-z._]{0,30}$/i.test(name) ? name : "a command";
}

/** Whether an error text of Upstash says that the plan's requests are used up. */
export function isQuotaError(text: string): boolean {
  return /max (daily )?requests? limit exceeded/i.test(text);
}

/** Whether an error text of Upstash says that a request, a key, a value or a reply is too long. */
export function isSizeError(text: string): boolean {
  return /max (single )?(request|record|response|reply|key) size|size limit exceeded/i.test(text);
}

/** The StoreError in `error`, or a `malformed` one in its place. */
export function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : notUnderstood();
}

export function notUnderstood(): StoreError {
  return new StoreError("malformed", "The store's reply could not be understood");
}
