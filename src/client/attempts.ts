import { edgeProblem } from "./problem.ts";
import { retryAfterSeconds } from "./rate-limits.ts";

/** How often a request is sent again: only GET, HEAD, OPTIONS, PUT and DELETE (RFC 9110 §9.2.2), after 502, 503, 504, 520 to 524, 530 and lost connections. */
export interface RetryOptions {
  /** Most attempts of one request after the first. Default 2. */
  perRequest?: number;
  /** The retries that may be saved up; each request adds a tenth of one. Default 10: an outage is not multiplied. */
  budget?: number;
}

/**
 * What time and chance are; tests hand in their own.
 *
 * @example
 * import { type Clock, createClient } from "envoyou-edge/client";
 *
 * const waited: number[] = [];
 * const clock: Clock = { now: () => 0, random: () => 0.5, sleep: async (ms) => void waited.push(ms) };
 * const api = createClient({ baseUrl: "https://api.example.com", clock });
 */
export interface Clock {
  /** The time, milliseconds since the epoch. */
  now(): number;
  /** Waits for so many milliseconds; rejects with the signal's reason where it is aborted before. */
  sleep(ms: number, signal: AbortSignal | null): Promise<void>;
  /** A number from 0 up to, and without, 1. */
  random(): number;
}

/** RFC 9110 §9.2.2. */
const IDEMPOTENT = /^(GET|HEAD|OPTIONS|PUT|DELETE)$/;
/** What may be over at the next attempt: the gateway's failures, and Cloudflare's, which cannot reach the API. */
const PASSING = /^5(0[234]|2[0-4]|30)$/;
/** RFC 9110 names no longest `Retry-After`; nobody waits on a page for longer than this, ms. */
const MAX_PAUSE_MS = 10_000;
/** A timer of more milliseconds than 31 bits hold ends at once (HTML, timers). */
const MAX_WAIT_SECONDS = 2_147_483;

/** Sends requests, and sends them again where that can do no harm. */
export class Attempts {
  readonly #clock: Clock;
  readonly #perRequest: number;
  readonly #most: number;
  /** Tenths of a retry. */
  #saved: number;

  /** As {@link RetryOptions} has them. */
  constructor(perRequest: number, budget: number, clock: Clock) {
    this.#clock = clock;
    this.#perRequest = perRequest;
    this.#most = budget * 10;
    this.#saved = this.#most;
  }

  /**
   * Sends a request until an answer is to be handed out.
   *
   * @param send Makes one attempt.
   * @param waitSeconds A 429 is waited out once, where it asks for no more than this.
   */
  async run(
    send: () => Promise<Response>,
    request: { method: string; repeatable: boolean; signal: AbortSignal | null },
    waitSeconds: number,
  ): Promise<Response> {
    const { method, repeatable, signal } = request;
    const idempotent = IDEMPOTENT.test(method);
    this.#saved = Math.min(this.#most, this.#saved + 1);
    let waited = false;
    for (let retries = 0; ; ) {
      const answer = await send().catch((error: unknown) => {
        if (signal?.aborted || !this.#mayRetry(retries, repeatable && idempotent)) throw error;
        return null;
      });
      if (answer?.status === 429 && !waited && repeatable) {
        const seconds = retryAfterSeconds(answer.headers, this.#clock.now());
        const waits = seconds !== null && seconds <= Math.min(waitSeconds, MAX_WAIT_SECONDS);
        // The edge refuses before it asks the API, so that nothing has happened whatever the method.
        if (!waits || !(idempotent || (await edgeProblem(answer)))) return answer;
        waited = true;
        discard(answer);
        await this.#clock.sleep(seconds * 1000, signal);
        continue;
      }
      if (answer && !PASSING.test(`${answer.status}`)) return answer;
      const pause = this.#pause(answer, retries);
      if (answer && (pause > MAX_PAUSE_MS || !this.#mayRetry(retries, repeatable && idempotent)))
        return answer;
      discard(answer);
      retries += 1;
      this.#saved -= 10;
      await this.#clock.sleep(pause, signal);
    }
  }

  #mayRetry(retries: number, harmless: boolean): boolean {
    return harmless && retries < this.#perRequest && this.#saved >= 10;
  }

  /** Milliseconds to the next attempt: what the answer asks for, else up to 200 ms, 400 ms, … at random. */
  #pause(answer: Response | null, retries: number): number {
    const asked = answer && retryAfterSeconds(answer.headers, this.#clock.now());
    return asked ? asked * 1000 : this.#clock.random() * 200 * 2 ** retries;
  }
}

/** Lets the connection go. */
function discard(answer: Response | null): void {
  void answer?.body?.cancel().catch(() => {});
}
