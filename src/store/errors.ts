/**
 * Why a call to the store failed. Only an error sends a capability to its local localStore; a reply that says "no" is a
 * value.
 *
 * - `timeout`: no complete answer within the deadline. The commands may have been applied.
 * - `unreachable`: the connection was refused, reset or cut. The commands may have been applied.
 * - `unauthorized`: 401 or 403; the token is wrong.
 * - `throttled`: 429, or Upstash's own limits ("max requests limit exceeded").
 * - `server`: another status that is not 2xx.
 * - `malformed`: a 2xx whose body is no pipeline reply of the right length.
 * - `command`: this command failed (wrong type, out of memory, read only …); others of the batch may have succeeded.
 * - `open`: the breaker is open, no call was made.
 * - `absent`: no store is configured, or this capability is kept off it.
 */
export type StoreErrorCode =
  | "timeout"
  | "unreachable"
  | "unauthorized"
  | "throttled"
  | "server"
  | "malformed"
  | "command"
  | "open"
  | "absent";

const REFUSES_WRITES: ReadonlySet<string> = new Set(["OOM", "READONLY", "MISCONF", "LOADING", "NOREPLICAS"]);

/** A failed call, or a failed command of one. Its message never holds a key, a value or a token. */
export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  /** HTTP status of the reply, where there was one. */
  readonly status: number | undefined;
  /** The first word of Redis's error (`WRONGTYPE`, `NOSCRIPT`, `OOM` …), where the command failed. */
  readonly redisCode: string | undefined;

  constructor(code: StoreErrorCode, message: string, facts: { status?: number; redisCode?: string } = {}) {
    super(message);
    this.code = code;
    this.status = facts.status;
    this.redisCode = facts.redisCode;
  }

  /**
   * Whether the commands cannot have run: only then may the caller account for them again. Of a script that Redis refuses
   * for what Redis is (full, a replica, loading), its first write was refused and nothing came before it.
   */
  get certainlyNotApplied(): boolean {
    if (this.code === "command") return REFUSES_WRITES.has(this.redisCode ?? "");
    return this.code === "open" || this.code === "absent" || this.code === "unauthorized";
  }
}

/**
 * Redis's error text for one command, as a StoreError. Only the leading code word is kept: the rest of the text may
 * quote keys and arguments.
 */
export function commandError(text: string): StoreError {
  const redisCode = /^[A-Z]{2,20}(?=\s|$)/.exec(text)?.[0] ?? "ERR";
  if (/max (daily )?requests? limit exceeded/i.test(text)) {
    return new StoreError("throttled", "Upstash refused the command: its request quota is used up", {
      redisCode,
    });
  }
  if (/^WRONGPASS|^NOAUTH|unauthorized/i.test(text)) {
    return new StoreError("unauthorized", "Upstash refused the command: not authorised", { redisCode });
  }
  return new StoreError("command", `Redis refused a command (${redisCode})`, { redisCode });
}

/** The StoreError in `error`, or a `malformed` one in its place. */
export function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError
    ? error
    : new StoreError("malformed", "The store's reply could not be understood");
}
