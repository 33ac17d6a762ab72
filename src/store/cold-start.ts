/** After this silence, as for an isolate's first call, a TLS handshake to another continent may come first. */
const SILENCE_MS = 60_000;

/**
 * The time in which calls may have to wait for handshakes (law 3). It begins with the first call after a silence, or with
 * a probe that finds the store again. It lasts until the cold deadline has passed, and once more as long from the first
 * reply on: then there is one connection, and calls at the same time need others. All calls that start in it count as
 * cold, not only the one that began it.
 */
export class ColdStart {
  readonly #lengthMs: number;
  #lastCallAt = Number.NEGATIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  #answered = false;

  /** @param lengthMs The cold deadline. */
  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Notes a call that starts now. @returns whether it is a cold one. */
  startCall(now: number): boolean {
    if (now - this.#lastCallAt > SILENCE_MS) this.begin(now);
    this.#lastCallAt = now;
    // A clock that went back must not make it last longer.
    this.#until = Math.min(this.#until, now + this.#lengthMs);
    return now < this.#until;
  }

  begin(now: number): void {
    this.#until = now + this.#lengthMs;
    this.#answered = false;
  }

  /** Notes a reply, a probe's too. */
  replied(now: number): void {
    this.#lastCallAt = now;
    if (this.#answered) return;
    this.#answered = true;
    if (this.#until !== Number.NEGATIVE_INFINITY) this.#until = now + this.#lengthMs;
  }
}
