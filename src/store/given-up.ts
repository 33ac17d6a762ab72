import { StoreError } from "./errors.ts";

/** A call that nobody waits for any longer. It goes on, for as long as a call may take at most. */
export class GivenUp<Reply = unknown> extends StoreError {
  /** What it replies after all. Rejects with a StoreError. */
  readonly late: Promise<Reply>;

  constructor(message: string, late: Promise<Reply>) {
    super("timeout", message);
    this.late = late;
    // Most callers do not wait for it: then its failure is no unhandled rejection.
    late.catch(() => {});
  }
}

/**
 * Reads a reply. One that comes after the caller has given it up is read too: what is learned from it is learned then.
 *
 * @returns what was read. Rejects as `reply` does.
 */
export function readAlsoLate<Reply, Result>(
  reply: Promise<Reply>,
  read: (reply: Reply) => Result,
): Promise<Result> {
  return reply.then(read, (error: unknown) => {
    throw error instanceof GivenUp
      ? new GivenUp(error.message, (error as GivenUp<Reply>).late.then(read))
      : error;
  });
}

/** A reply, waited for to its end. */
export function toItsEnd<Reply>(reply: Promise<Reply>): Promise<Reply> {
  return reply.catch((error: unknown) => {
    if (error instanceof GivenUp) return (error as GivenUp<Reply>).late;
    throw error;
  });
}
