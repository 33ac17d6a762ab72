import { notUnderstood } from "./errors.ts";

/**
 * Read what a command or a script has replied. Anything else than it gives, from a proxy or a server that is almost Redis, is a
 * failure of the store (law 2): neither "nothing", nor "no", nor an error of the request.
 *
 * Each throws a StoreError `malformed` for another shape.
 */
export function listIn(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw notUnderstood();
  return reply;
}

export function textIn(reply: unknown): string {
  if (typeof reply !== "string") throw notUnderstood();
  return reply;
}

export function textsIn(reply: unknown): string[] {
  return listIn(reply).map(textIn);
}

export function textOrNullIn(reply: unknown): string | null {
  return reply === null ? null : textIn(reply);
}

/** A whole number, 0 or more. */
export function countIn(reply: unknown): number {
  if (typeof reply !== "number" || !Number.isInteger(reply) || reply < 0) throw notUnderstood();
  return reply;
}

export function yesOrNoIn(reply: unknown): 0 | 1 {
  if (reply !== 0 && reply !== 1) throw notUnderstood();
  return reply;
}
