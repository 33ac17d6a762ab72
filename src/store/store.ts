import type { Redis } from "@upstash/redis";
import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";
import { Batch } from "./batch.ts";
import { Breaker, type BreakerOptions } from "./breaker.ts";
import {
  createPipelineSender,
  createRedis,
  type SendPipeline,
  type SentPipeline,
  type WaitUntil,
} from "./client.ts";
import { asStoreError, StoreError, type StoreErrorCode } from "./errors.ts";
import { createFarEvents } from "./far-events.ts";
import { GivenUp } from "./given-up.ts";
import { Recovery, type Replay } from "./recovery.ts";
import { createRefusalEvents, type Refusals } from "./refusal-events.ts";
import type { Command, PipelineCall, Pipelined, PipelineReply } from "./transport.ts";
import { Upstash } from "./upstash.ts";

export interface StoreOptions {
  /** Upstash's REST address and token, or null: then every batch fails at once with `absent`. */
  connection: { url: string; token: string } | null;
  platform: Platform;
  events: Events;
  /** Milliseconds that a request waits for a store that is near, at most three times as long for a far one. Default 400. */
  deadlineMs?: number;
  breaker?: Partial<BreakerOptions>;
}

/** What `/health` says of the store. */
export type StoreState =
  | { mode: "redis" }
  | { mode: "memory"; because: "absent" }
  | { mode: "memory"; because: StoreErrorCode; sinceMs: number };

/** Calls that were given up, with no reply since, after which one that has failed opens the breaker. */
const MAX_MISSED = 3;

/** One error for all calls while the breaker is open: to make a stack for each takes longer than the local answer. */
const OPEN = new StoreError("open", "The store is not asked again yet");

/**
 * The isolate's only access to Upstash: it opens batches, keeps the breaker, and knows when Redis last answered. It holds
 * plain data only, so that any number of requests may share it (law 4).
 */
export class Store {
  readonly #upstash: Upstash | undefined;
  readonly #platform: Platform;
  readonly #events: Events;
  readonly #refusals: Refusals;
  readonly #noteDistance: ReturnType<typeof createFarEvents>;
  readonly #breaker: Breaker;
  readonly #recovery: Recovery;
  readonly #sendPipeline: SendPipeline;

  constructor({ connection, platform, events, deadlineMs = 400, breaker = {} }: StoreOptions) {
    this.#upstash = connection
      ? new Upstash({ ...connection, platform, deadlineMs, meter: events.meter })
      : undefined;
    this.#platform = platform;
    this.#events = events;
    this.#refusals = createRefusalEvents({ platform, events });
    this.#noteDistance = createFarEvents({ platform, events });
    this.#breaker = new Breaker(platform, breaker);
    this.#sendPipeline = createPipelineSender((call) => this.#callForBatch(call));
    // A script that the server does not know makes two calls of a batch.
    const maxBatchMs = 2 * (this.#upstash?.ceilingMs ?? 0);
    this.#recovery = new Recovery({ platform, maxBatchMs, openBatch: () => this.batch() });
  }

  get configured(): boolean {
    return this.#upstash !== undefined;
  }

  /** Whether a batch that is opened now would be sent. */
  get reachable(): boolean {
    return this.configured && !this.#breaker.open;
  }

  /** Whether a batch that is opened now would be sent, and is no trial of a store that was lost. */
  get steady(): boolean {
    return this.reachable && !this.#breaker.halfOpen;
  }

  /** Whether a request has given up a call, and no reply has come since: what is sent now may hang too. */
  get silent(): boolean {
    return (this.#upstash?.learned.missed ?? 0) > 0;
  }

  /** When Redis last answered, ms since the epoch; -Infinity before the first time. */
  get heardAt(): number {
    return this.#upstash?.heardAt ?? Number.NEGATIVE_INFINITY;
  }

  /** When Redis last refused a write because it takes none, ms since the epoch; -Infinity before the first time. */
  get writesRefusedAt(): number {
    return this.#refusals.writesRefusedAt;
  }

  /** When Redis last said that the token may not read, likewise. */
  get readsRefusedAt(): number {
    return this.#refusals.readsRefusedAt;
  }

  /** The longest that a call may take, ms; 0 without a store. */
  get longestCallMs(): number {
    return this.#upstash?.ceilingMs ?? 0;
  }

  /** The median time of the last replies that requests waited for, ms; null before there are 16. */
  get medianMs(): number | null {
    return this.#upstash?.learned.medianMs ?? null;
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

  /** Seconds until the store is asked again, while the breaker is open. */
  get retryAfterSeconds(): number {
    return this.#breaker.retryAfterSeconds;
  }

  /**
   * @param waitUntil That of the request that waits for it: it gives up at the learned deadline, and the call goes on.
   *   Default nobody waits: its calls may take as long as any.
   */
  batch(waitUntil?: WaitUntil): Batch {
    return new Batch((add, syncToken) => this.#sendPipeline(add, syncToken, waitUntil));
  }

  /**
   * A batch for what is long and nobody's check waits for. It neither opens nor closes the breaker; while that is open or
   * half-open it fails at once.
   *
   * @param deadlineMs Default the longest that a call for a check may take.
   */
  batchApart(deadlineMs?: number): Batch {
    return new Batch(
      createPipelineSender(async (call) => {
        const upstash = this.#expectUpstash();
        if (this.#breaker.open || this.#breaker.halfOpen) throw OPEN;
        return upstash.call({ ...call, deadlineMs: deadlineMs ?? upstash.ceilingMs });
      }),
    );
  }

  /**
   * The SDK's client for a request's handlers: any command, one HTTP call each, with the batch's deadline and one attempt.
   *
   * ```ts
   * const redis = store.redis();
   * await redis.set("greeting", "hello", { ex: 60 });
   * const [greeting, visits] = await redis.pipeline().get<string>("greeting").incr("visits").exec(); // one call
   * ```
   *
   * Replies are as the SDK's types say: JSON is parsed, `hgetall` replies an object. It remembers the sync
   * token of its own writes, so make one per request, where a handler asks for it; to read what a batch wrote, set
   * `redis.readYourWritesSyncToken = batch.syncToken`. Subscriptions are refused.
   *
   * Its calls neither open nor close the breaker. While the breaker is open they fail at once.
   *
   * @throws StoreError from every command: `open`, `absent`, `timeout` …; `command` where Redis refuses it (`redisCode`
   *   says why, `NOPERM` for one). The message names the command, no key and no value.
   */
  redis(): Redis {
    return createRedis(async (call) => {
      const upstash = this.#expectUpstash();
      if (this.#breaker.open) throw OPEN;
      return upstash.call({ ...call, deadlineMs: upstash.startCall().deadlineMs });
    });
  }

  /**
   * Registers writes that are kept because they could not be made. Called with a batch of its own after an outage, and
   * after any call or command that failed; again while it says that there is more, and after a pause where something was
   * refused. What is queued may fail again: a caller that must not lose it keeps it until its promise resolves.
   */
  onRecovery(replay: Replay): void {
    this.#recovery.add(replay);
  }

  /**
   * Makes something that calls {@link onRecovery}.
   *
   * @returns what is made, and a function that takes its registrations back: what it keeps then is not written any more.
   */
  recoveriesOf<Made>(make: () => Made): [made: Made, end: () => void] {
    return this.#recovery.addedBy(make);
  }

  /** Says that something could not be written: a replay is due. Failed calls and commands of a batch do so themselves. */
  markDue(): void {
    this.#recovery.markDue();
  }

  /**
   * What is due beside a request, or null: the probe of an open breaker, or the replay of what could not be written. Give
   * it to `waitUntil`; no request waits for it.
   */
  maintenance(): Promise<void> | null {
    if (!this.#upstash) return null;
    if (this.#breaker.open) return this.#breaker.takeProbe() ? this.#probe(this.#upstash) : null;
    return this.#recovery.due ? this.#recovery.run() : null;
  }

  #expectUpstash(): Upstash {
    if (!this.#upstash) throw new StoreError("absent", "No store is configured");
    return this.#upstash;
  }

  #callForBatch({ waitUntil, ...call }: SentPipeline): Promise<PipelineReply> {
    const upstash = this.#expectUpstash();
    if (!this.#breaker.mayTry(upstash.ceilingMs)) throw OPEN;
    const { deadlineMs, cold } = upstash.startCall();
    const teaches = waitUntil !== undefined;
    if (!waitUntil || deadlineMs >= upstash.ceilingMs)
      return this.#callToItsEnd(upstash, call, { cold, teaches });
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        upstash.learned.miss();
        this.markDue();
        waitUntil(whole.catch(() => {}));
        reject(new GivenUp(`The store did not answer within ${Math.round(deadlineMs)} ms`, whole));
      };
      const late = { ...call, whenLate: { afterMs: deadlineMs, run: giveUp } };
      const whole = this.#callToItsEnd(upstash, late, { cold, teaches });
      whole.then(resolve, reject);
    });
  }

  /** Only a call that has taken as long as any may counts as failed (law 3). @throws StoreError */
  async #callToItsEnd(
    upstash: Upstash,
    call: Pipelined & Pick<PipelineCall, "whenLate">,
    { cold, teaches }: { cold: boolean; teaches: boolean },
  ): Promise<PipelineReply> {
    try {
      const reply = await upstash.call({ ...call, deadlineMs: upstash.ceilingMs }, { teaches });
      if (teaches && upstash.learned.isRoundOver) this.#noteDistance(upstash.learned.medianMs);
      // A PING, a health check's too, proves only that Redis answers.
      if (call.commands.every(isPing)) this.#breaker.provedNothing();
      else if (this.#breaker.succeeded()) this.#found();
      if (this.#refusals.note(reply.items, call.commands)) this.markDue();
      return reply;
    } catch (cause) {
      const error = asStoreError(cause);
      if (error.code === "size") {
        // It has answered: what was sent is too long.
        this.#breaker.provedNothing();
        throw error;
      }
      this.markDue();
      const late = error.code === "timeout";
      // A handshake is no reason to give up on the store (law 3), unless a probe has just made it.
      if (!(cold && late) || this.#breaker.halfOpen) {
        // Calls were given up before, and nothing has come since: the third of them need not reach its end too.
        this.#failed(error, late && upstash.learned.missed >= MAX_MISSED);
      }
      throw error;
    }
  }

  #found(): void {
    this.markDue();
    this.#recovery.endPause();
    this.#events.emit("store.found", {});
  }

  #failed(error: StoreError, isCertain = false): void {
    if (this.#breaker.failed(error.code, isCertain)) {
      this.#events.emit("store.lost", { reason: error.code, status: error.status });
    }
  }

  /** A probe has the cold deadline: in the pauses between probes connections are closed. */
  async #probe(upstash: Upstash): Promise<void> {
    let alive = false;
    try {
      const call = { commands: [["PING"]], deadlineMs: upstash.ceilingMs };
      const [reply] = (await upstash.call(call)).items;
      // A Redis that is loading its data, or no longer knows the token, answers with an error.
      alive = reply?.error === undefined;
    } catch (cause) {
      this.#failed(asStoreError(cause));
    }
    if (this.#breaker.probed(alive)) {
      upstash.beginColdStart();
      this.#found();
    }
    if (alive) await this.#recovery.run();
  }
}

function isPing([name]: Command): boolean {
  return String(name).toLowerCase() === "ping";
}
