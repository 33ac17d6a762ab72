import type { Log } from "../events/log.ts";
import type { Platform } from "../runtime/platform.ts";
import { Batch } from "./batch.ts";
import { Breaker, type BreakerOptions } from "./breaker.ts";
import { ColdStart } from "./cold-start.ts";
import type { Command } from "./commands.ts";
import { asStoreError, StoreError, type StoreErrorCode } from "./errors.ts";
import { type Replay, Replays } from "./recovery.ts";
import { createTransport, type PipelineCall, type PipelineReply, type Transport } from "./transport.ts";

export interface StoreOptions {
  /** Upstash's REST address and token, or null: then every batch fails at once with `absent`. */
  connection: { url: string; token: string } | null;
  platform: Platform;
  log: Log;
  /** Milliseconds a batch may take on a warm path. Default 400. */
  deadlineMs?: number;
  breaker?: Partial<BreakerOptions>;
}

/** What `/health` says of the store. */
export type StoreState =
  | { mode: "redis" }
  | { mode: "memory"; because: "absent" }
  | { mode: "memory"; because: StoreErrorCode; sinceMs: number };

/** One for all: whoever is answered while the store is lost needs no stack of it, and to make one takes longer than the answer. */
const LOST = new StoreError("open", "The store is lost; it is not asked again yet");
/** What a cold path's deadline is of a warm one's (law 3). */
const COLD_FACTOR = 3;

/**
 * The isolate's one door to Upstash: opens batches, keeps the breaker, and knows when it last heard from Redis. It holds
 * plain data only, so that any number of requests may share it.
 */
export class Store {
  readonly #send: Transport | undefined;
  readonly #platform: Platform;
  readonly #log: Log;
  readonly #deadlineMs: number;
  readonly #breaker: Breaker;
  readonly #coldStart: ColdStart;
  readonly #replays: Replays;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor({ connection, platform, log, deadlineMs = 400, breaker = {} }: StoreOptions) {
    this.#send = connection ? createTransport({ ...connection, platform }) : undefined;
    this.#platform = platform;
    this.#log = log;
    this.#deadlineMs = deadlineMs;
    this.#breaker = new Breaker(platform, breaker);
    this.#coldStart = new ColdStart(this.#coldDeadlineMs);
    // A script that the server does not know makes two calls of a batch.
    const maxBatchMs = 2 * this.#coldDeadlineMs;
    this.#replays = new Replays({ platform, maxBatchMs, openBatch: () => this.batch() });
  }

  get configured(): boolean {
    return this.#send !== undefined;
  }

  /** Whether a batch that is opened now would go out. */
  get reachable(): boolean {
    return this.configured && !this.#breaker.open;
  }

  /** When a batch last came back, ms since the epoch; -Infinity before the first. Law 6 counts from it. */
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

  batch(): Batch {
    return new Batch((commands, syncToken) => this.#call(commands, syncToken));
  }

  /**
   * Registers what was kept because it could not be written, and must be when it can. Called with a batch of its own after
   * an outage, and after any call or command that failed; again while it says that there is more, and after a pause where
   * something was refused. What is queued may fail again: whoever must not lose it keeps it until its promise says that it
   * has arrived.
   */
  onRecovery(replay: Replay): void {
    this.#replays.add(replay);
  }

  /** Says that something could not be written: a replay is due. Failed calls and commands say so themselves. */
  markDue(): void {
    this.#replays.markDue();
  }

  /**
   * What is due beside a request, or null: the probe of an open breaker, the replay of what could not be written. To be
   * given to `waitUntil`; no request waits for it.
   */
  maintenance(): Promise<void> | null {
    if (!this.#send) return null;
    if (this.#breaker.open) return this.#breaker.takeProbe() ? this.#probe(this.#send) : null;
    return this.#replays.due ? this.#replays.run() : null;
  }

  get #coldDeadlineMs(): number {
    return this.#deadlineMs * COLD_FACTOR;
  }

  async #call(commands: readonly Command[], syncToken: string | undefined): Promise<PipelineReply> {
    if (!this.#send) throw new StoreError("absent", "No store is configured");
    if (!this.#breaker.mayTry(this.#coldDeadlineMs)) throw LOST;
    const cold = this.#coldStart.start(this.#platform.now());
    const deadlineMs = cold ? this.#coldDeadlineMs : this.#deadlineMs;
    try {
      const reply = await this.#ask(this.#send, { commands, deadlineMs, syncToken });
      // A PING, a health check's too, proves no more than that somebody is there.
      if (commands.every(isPing)) this.#breaker.provedNothing();
      else if (this.#breaker.succeeded()) this.#found();
      // A script that is sent again is no failure.
      if (reply.items.some(({ error }) => error && !error.startsWith("NOSCRIPT"))) this.markDue();
      return reply;
    } catch (cause) {
      const error = asStoreError(cause);
      this.markDue();
      // A handshake is no reason to give up on the store (law 3), unless a probe has just made it.
      if (!(cold && error.code === "timeout") || this.#breaker.halfOpen) this.#missed(error);
      throw error;
    }
  }

  async #ask(send: Transport, call: PipelineCall): Promise<PipelineReply> {
    const reply = await send(call);
    // A quota that is used up comes as an error of every command in a reply of status 200.
    const refused = reply.items.find(
      (item) => item.error && /max (daily )?requests? limit exceeded/i.test(item.error),
    );
    if (refused) throw new StoreError("throttled", "Upstash's request quota is used up", { status: 200 });
    this.#heardAt = this.#platform.now();
    this.#coldStart.heard(this.#heardAt);
    return reply;
  }

  #found(): void {
    this.markDue();
    this.#replays.hurry();
    this.#log.info("store.found", {});
  }

  #missed(error: StoreError): void {
    if (this.#breaker.failed(error.code)) {
      this.#log.error("store.lost", { reason: error.code, status: error.status, message: error.message });
    }
  }

  /** It may have to connect anew, whenever the last one was: the pauses between probes are what connections die of. */
  async #probe(send: Transport): Promise<void> {
    let alive = false;
    try {
      const call = { commands: [["PING"]], deadlineMs: this.#coldDeadlineMs };
      const [reply] = (await this.#ask(send, call)).items;
      // A Redis that is still loading its data, or knows the token no more, answers too.
      alive = reply?.error === undefined;
    } catch (cause) {
      this.#missed(asStoreError(cause));
    }
    if (this.#breaker.probed(alive)) {
      this.#coldStart.begin(this.#platform.now());
      this.#found();
    }
    if (alive) await this.#replays.run();
  }
}

function isPing([name]: Command): boolean {
  return String(name).toLowerCase() === "ping";
}
