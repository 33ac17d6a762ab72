import type { EagerOutcome } from "../origin/eager-fetch.ts";
import type { Platform } from "../runtime/platform.ts";

/** The isolate looks at so many of its last eager fetches, and stops while more of them than this were wasted: 10 %. */
const LOOKED_AT = 200;
const MAX_WASTED = 20;
/** An isolate that has stopped begins anew after the first pause; each time that it has to stop again it is twice as long, ms. */
const FIRST_PAUSE_MS = 60_000;
const LAST_PAUSE_MS = 3_600_000;

/** An eager fetch of which it is not known whether it is needed. */
interface Unanswered {
  caller: string;
  /** Then its client has gone, and nothing will be heard of it, ms since the epoch. */
  until: number;
}

/**
 * The eager fetches of an isolate, so that nobody can have the origin asked for nothing at will. As those that are not answered
 * count as wasted until they are, 21 are wasted at most before the isolate stops, however many come at once; so its lists are short.
 */
export class EagerAccount {
  readonly #platform: Pick<Platform, "now">;
  #unanswered: Unanswered[] = [];
  /** The last ones since the isolate began anew, the oldest first. */
  #outcomes: EagerOutcome[] = [];
  #stoppedAt: number | null = null;
  #pauseMs = 0;

  constructor(platform: Pick<Platform, "now">) {
    this.#platform = platform;
  }

  /**
   * @param left Requests that the caller has left, as last seen; null where that was never seen: one at a time then.
   * @param forMs The longest until it is known whether a fetch is needed.
   * @returns the function to call then; null where none may begin.
   */
  begin(caller: string, left: number | null, forMs: number): ((outcome: EagerOutcome) => void) | null {
    const now = this.#platform.now();
    // One that ends later than any can began while the clock was ahead.
    const lost = this.#unanswered.filter(({ until }) => until <= now || until > now + forMs);
    for (const each of lost) this.#settle(each, "wasted");
    if (this.#isStopped(now)) return null;
    if (this.#wasted + this.#unanswered.length > MAX_WASTED) return null;
    const own = this.#unanswered.filter((each) => each.caller === caller).length;
    if (own >= (left ?? 1)) return null;
    const begun = { caller, until: now + forMs };
    this.#unanswered.push(begun);
    return (outcome) => this.#settle(begun, outcome);
  }

  get #wasted(): number {
    return this.#outcomes.filter((each) => each === "wasted").length;
  }

  #isStopped(now: number): boolean {
    if (this.#stoppedAt === null) return false;
    if (now >= this.#stoppedAt && now < this.#stoppedAt + this.#pauseMs) return true;
    this.#stoppedAt = null;
    this.#outcomes = [];
    return false;
  }

  #settle(begun: Unanswered, outcome: EagerOutcome): void {
    const others = this.#unanswered.filter((each) => each !== begun);
    if (others.length === this.#unanswered.length) return;
    this.#unanswered = others;
    this.#outcomes = [...this.#outcomes, outcome].slice(-LOOKED_AT);
    if (this.#stoppedAt !== null) return;
    if (this.#wasted > MAX_WASTED) {
      this.#stoppedAt = this.#platform.now();
      this.#pauseMs = Math.min(Math.max(this.#pauseMs * 2, FIRST_PAUSE_MS), LAST_PAUSE_MS);
    } else if (this.#outcomes.length === LOOKED_AT) this.#pauseMs = 0;
  }
}
