import type { Log } from "../observe/index.ts";
import type { Platform } from "../platform.ts";
import { Breaker, type BreakerOptions } from "./breaker.ts";
import type { Command } from "./commands.ts";
import { asStoreError, StoreError, type StoreErrorCode } from "./errors.ts";
import { createTransport, type PipelineReply, type Transport } from "./transport.ts";
import { Trip } from "./trip.ts";

export interface StoreOptions {
  /** Upstash's REST address and token, or null: then every trip fails at once with `absent`. */
  connection: { url: string; token: string } | null;
  platform: Platform;
  log: Log;
  /** Milliseconds a trip may take on a warm path. Default 400. */
  deadlineMs?: number;
  breaker?: Partial<BreakerOptions>;
}

/** What `/health` says of the store. */
export type StoreState =
  | { mode: "redis" }
  | { mode: "memory"; because: "absent" }
  | { mode: "memory"; because: StoreErrorCode; sinceMs: number };

/** An isolate's first call, and the first after this silence, may be a TLS handshake to another continent. */
const SILENCE_MS = 60_000;
const COLD_FACTOR = 3;
/** Pauses between two attempts to write what could not be written, ms: doubling while it fails. */
const FIRST_REPLAY_MS = 1000;
const LAST_REPLAY_MS = 8000;
/** Trips that one invocation makes of a replay: a Worker on the free plan may make 50 calls. */
const MOST_REPLAY_TRIPS = 20;

/** Queues a share of what is owed, at once, before anything is awaited. @returns whether there is more for another trip. */
export type Replay = (trip: Trip) => boolean | Promise<boolean>;

/**
 * The isolate's one door to Upstash: opens trips, keeps the breaker, and knows when it last heard from Redis. It holds
 * plain data only, so that any number of requests may share it.
 */
export class Store {
  readonly #send: Transport | undefined;
  readonly #platform: Platform;
  readonly #log: Log;
  readonly #deadlineMs: number;
  readonly #breaker: Breaker;
  readonly #replays: Replay[] = [];
  #triedAt = Number.NEGATIVE_INFINITY;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** Something was not written, or may not have been. */
  #owed = false;
  #replayPauseMs = 0;
  #replayAt = 0;

  constructor({ connection, platform, log, deadlineMs = 400, breaker = {} }: StoreOptions) {
    this.#send = connection ? createTransport({ ...connection, platform }) : undefined;
    this.#platform = platform;
    this.#log = log;
    this.#deadlineMs = deadlineMs;
    this.#breaker = new Breaker(platform, breaker);
  }

  get configured(): boolean {
    return this.#send !== undefined;
  }

  /** Whether a trip that is opened now would go out. */
  get reachable(): boolean {
    return this.configured && !this.#breaker.open;
  }

  /** When a trip last came back, ms since the epoch; -Infinity before the first. Law 6 counts from it. */
  get heardAt(): number {
    return this.#heardAt;
  }

  get state(): StoreState {
    if (!this.configured) return { mode: "memory", because: "absent" };
    if (!this.#breaker.open) return { mode: "redis" };
    return {
      mode: "memory",
      because: this.#breaker.reason ?? "unreachable",
      sinceMs: this.#breaker.openedAt ?? this.#platform.now(),
    };
  }

  /** Seconds until the store is asked again, while it is lost. */
  get retryAfterSeconds(): number {
    return this.#breaker.retryAfterSeconds;
  }

  trip(): Trip {
    return new Trip((commands, syncToken) => this.#call(commands, syncToken));
  }

  /**
   * Registers what was kept because it could not be written, and must be when it can. Called with a trip of its own after
   * an outage, and after any call or command that failed; again while it says that there is more. What is queued may fail
   * again: whoever must not lose it keeps it until its promise says that it has arrived.
   */
  onRecovery(replay: Replay): void {
    this.#replays.push(replay);
  }

  /** Says that something could not be written: a replay is due. Failed calls and commands say so themselves. */
  owe(): void {
    this.#owed = true;
  }

  /**
   * What is due beside a request, or null: the probe of an open breaker, the replay of what could not be written. To be
   * given to `waitUntil`; no request waits for it.
   */
  maintenance(): Promise<void> | null {
    if (!this.configured) return null;
    if (this.#breaker.open) return this.#breaker.takeProbe() ? this.#probe() : null;
    const now = this.#platform.now();
    // A clock that went back must not put it off by as much.
    this.#replayAt = Math.min(this.#replayAt, now + LAST_REPLAY_MS);
    return this.#owed && now >= this.#replayAt ? this.#replay() : null;
  }

  async #call(commands: readonly Command[], syncToken: string | undefined): Promise<PipelineReply> {
    if (!this.#send) throw new StoreError("absent", "No store is configured");
    if (this.#breaker.open) throw new StoreError("open", "The store is lost; it is not asked again yet");
    return this.#attempt(this.#send, commands, syncToken);
  }

  async #attempt(send: Transport, commands: readonly Command[], syncToken: string | undefined) {
    const startedAt = this.#platform.now();
    const cold = startedAt - this.#triedAt > SILENCE_MS;
    this.#triedAt = startedAt;
    const deadlineMs = cold ? this.#deadlineMs * COLD_FACTOR : this.#deadlineMs;
    try {
      const reply = await send({ commands, deadlineMs, syncToken });
      // A quota that is used up comes as an error of every command in a reply of status 200.
      const refused = reply.items.find(
        (item) => item.error && /max (daily )?requests? limit exceeded/i.test(item.error),
      );
      if (refused) throw new StoreError("throttled", "Upstash's request quota is used up", { status: 200 });
      this.#heard();
      // A script that is sent again is no failure.
      if (reply.items.some(({ error }) => error && !error.startsWith("NOSCRIPT"))) this.owe();
      return reply;
    } catch (cause) {
      const error = asStoreError(cause);
      this.owe();
      if (!(cold && error.code === "timeout")) this.#missed(error);
      throw error;
    }
  }

  #heard(): void {
    this.#heardAt = this.#platform.now();
    if (!this.#breaker.succeeded()) return;
    this.owe();
    this.#replayAt = 0;
    this.#log.info("store.found", {});
  }

  #missed(error: StoreError): void {
    if (this.#breaker.failed(error.code)) {
      this.#log.error("store.lost", { reason: error.code, status: error.status, message: error.message });
    }
  }

  async #probe(): Promise<void> {
    let alive = false;
    try {
      if (this.#send) await this.#attempt(this.#send, [["PING"]], undefined);
      alive = true;
    } catch {
      // The breaker has it already.
    } finally {
      this.#breaker.probed(alive);
    }
    if (alive) await this.#replay();
  }

  /** Trip by trip, until nothing is left or one fails; what an invocation has no time for is left to the next. */
  async #replay(): Promise<void> {
    for (let trips = 0; trips < MOST_REPLAY_TRIPS; trips += 1) {
      this.#owed = false;
      this.#replayPauseMs = Math.min(Math.max(FIRST_REPLAY_MS, this.#replayPauseMs * 2), LAST_REPLAY_MS);
      this.#replayAt = this.#platform.now() + this.#replayPauseMs;
      const trip = this.trip();
      const replays = this.#replays.map((replay) => replay(trip));
      await trip.send();
      const more = (await Promise.all(replays)).includes(true);
      if (this.#owed) return;
      this.#replayPauseMs = 0;
      this.#replayAt = 0;
      if (!more) return;
      this.owe();
    }
  }
}
