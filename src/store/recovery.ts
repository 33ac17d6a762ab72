import type { Platform } from "../runtime/platform.ts";
import type { Trip } from "./batch.ts";

/**
 * What a trip left of what is owed: nothing; more for another trip at once; or something that Redis, or whoever read its
 * reply, did not take, which is tried again after a pause.
 */
export type ReplayOutcome = "done" | "more" | "refused";

/**
 * Queues a share of what is owed, at once, before anything is awaited. `true` and `false` are short for `more` and `done`,
 * for whoever learns of a refusal by the trip's own error alone.
 */
export type Replay = (trip: Trip) => ReplayOutcome | boolean | Promise<ReplayOutcome | boolean>;

export interface ReplaysOptions {
  platform: Pick<Platform, "now">;
  /** The longest that a trip may take, ms: who began one has the right to it until then. */
  longestTripMs: number;
  openTrip(): Trip;
}

/** Pauses between two attempts to write what could not be written, ms: doubling while it fails. */
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 8000;
/** Trips that one invocation makes: a Worker on the free plan may make 50 calls. */
const MOST_TRIPS = 20;

/**
 * What could not be written, and when it is tried again. It stays owed until a trip is back with which nothing went wrong:
 * an invocation may be ended in the middle of one.
 */
export class Replays {
  readonly #options: ReplaysOptions;
  readonly #replays: Replay[] = [];
  /** How often something went wrong, and how much of that has been made good. */
  #debts = 0;
  #settled = 0;
  #pauseMs = 0;
  #nextAt = 0;

  constructor(options: ReplaysOptions) {
    this.#options = options;
  }

  add(replay: Replay): void {
    this.#replays.push(replay);
  }

  /** Something was not written, or may not have been. */
  owe(): void {
    this.#debts += 1;
  }

  /** What is owed need not wait any longer. */
  hurry(): void {
    this.#nextAt = 0;
  }

  get due(): boolean {
    const { platform, longestTripMs } = this.#options;
    const now = platform.now();
    // A clock that went back must not put it off by as much.
    this.#nextAt = Math.min(this.#nextAt, now + Math.max(LAST_PAUSE_MS, longestTripMs));
    return this.#debts > this.#settled && now >= this.#nextAt;
  }

  /** Trip by trip, until nothing is left or one fails; what an invocation has no time for is left to the next. */
  async run(): Promise<void> {
    const { platform, longestTripMs, openTrip } = this.#options;
    for (let trips = 0; trips < MOST_TRIPS; trips += 1) {
      const debts = this.#debts;
      this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2), LAST_PAUSE_MS);
      this.#nextAt = platform.now() + Math.max(this.#pauseMs, longestTripMs);
      const trip = openTrip();
      const replays = this.#replays.map((replay) => replay(trip));
      await trip.send();
      const outcomes = await Promise.all(replays);
      if (trip.error || this.#debts !== debts || outcomes.includes("refused")) {
        this.#nextAt = platform.now() + this.#pauseMs;
        return;
      }
      this.#pauseMs = 0;
      this.#nextAt = 0;
      if (outcomes.includes("more") || outcomes.includes(true)) continue;
      this.#settled = debts;
      return;
    }
  }
}
