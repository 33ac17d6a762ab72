/** An isolate's first call, and the first after this silence, may be a TLS handshake to another continent. */
const SILENCE_MS = 60_000;

/**
 * When a connection may have to be made first (law 3): from the first call after a silence until a reply is heard, or the
 * cold deadline is over. All calls that start in it wait for the same handshake, not only the one that began it.
 */
export class ColdEra {
  readonly #lengthMs: number;
  #triedAt = Number.NEGATIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** @param lengthMs The cold deadline: an era that nobody ends is over then. */
  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Notes a call that starts now. @returns whether it is a cold one. */
  start(now: number): boolean {
    if (now - this.#triedAt > SILENCE_MS) this.#until = now + this.#lengthMs;
    this.#triedAt = now;
    // A clock that went back must not make it last longer.
    this.#until = Math.min(this.#until, now + this.#lengthMs);
    return now < this.#until;
  }

  /** A reply has come, a probe's too: there is a connection. */
  end(now: number): void {
    this.#triedAt = now;
    this.#until = Number.NEGATIVE_INFINITY;
  }
}
