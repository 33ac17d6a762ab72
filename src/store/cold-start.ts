/** An isolate's first call, and the first after this silence, may be a TLS handshake to another continent. */
const SILENCE_MS = 60_000;

/**
 * When connections may have to be made first (law 3): from the first call after a silence, or from a probe that has found
 * the store again, until the cold deadline is over; and once more as long from the first reply on, for only then is there
 * one connection, and those who call at the same time need others. All calls that start in it wait for handshakes, not only
 * the one that began it.
 */
export class ColdStart {
  readonly #lengthMs: number;
  #triedAt = Number.NEGATIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;
  #heard = false;

  /** @param lengthMs The cold deadline: an era that nobody ends is over then. */
  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** Notes a call that starts now. @returns whether it is a cold one. */
  start(now: number): boolean {
    if (now - this.#triedAt > SILENCE_MS) this.begin(now);
    this.#triedAt = now;
    // A clock that went back must not make it last longer.
    this.#until = Math.min(this.#until, now + this.#lengthMs);
    return now < this.#until;
  }

  begin(now: number): void {
    this.#until = now + this.#lengthMs;
    this.#heard = false;
  }

  /** A reply has come, a probe's too. */
  heard(now: number): void {
    this.#triedAt = now;
    if (this.#heard) return;
    this.#heard = true;
    if (this.#until !== Number.NEGATIVE_INFINITY) this.#until = now + this.#lengthMs;
  }
}
