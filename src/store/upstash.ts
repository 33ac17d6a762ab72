import type { Meter } from "../events/meter.ts";
import type { Platform } from "../runtime/platform.ts";
import { ColdStart } from "./cold-start.ts";
import { asStoreError } from "./errors.ts";
import { LearnedDeadline } from "./learned-deadline.ts";
import { createTransport, type PipelineCall, type PipelineReply, type Transport } from "./transport.ts";

export interface UpstashOptions {
  url: string;
  token: string;
  platform: Platform;
  /** Milliseconds that a request waits for a store that is near. */
  deadlineMs: number;
  /** Counts the calls. Default nobody does. */
  meter?: Meter | undefined;
}

/** How long a request waits for a call that starts now, ms, and whether the call may have to wait for a handshake. */
export interface Deadline {
  deadlineMs: number;
  cold: boolean;
}

/** How many times `deadlineMs` a call may take at most (law 3). */
const CEILING_FACTOR = 3;

/**
 * Upstash as the isolate sees it: how long it may take now, and when it last answered. Plain data and functions, so that
 * any number of requests may share it (law 4).
 */
export class Upstash {
  readonly #send: Transport;
  readonly #platform: Platform;
  readonly #coldStart: ColdStart;
  readonly #meter: Meter | undefined;
  /** The longest that a call may take, ms. */
  readonly ceilingMs: number;
  readonly learned: LearnedDeadline;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor({ url, token, platform, deadlineMs, meter }: UpstashOptions) {
    this.#send = createTransport({ url, token, platform });
    this.#platform = platform;
    this.#meter = meter;
    this.ceilingMs = deadlineMs * CEILING_FACTOR;
    this.#coldStart = new ColdStart(this.ceilingMs);
    this.learned = new LearnedDeadline({ baseMs: deadlineMs, ceilingMs: this.ceilingMs });
  }

  /** Milliseconds since the epoch of the last reply; -Infinity before the first. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The deadline of a call that starts now. */
  startCall(): Deadline {
    const cold = this.#coldStart.startCall(this.#platform.now());
    return { cold, deadlineMs: cold ? this.ceilingMs : this.learned.ms };
  }

  /** Says that connections have to be made anew. */
  beginColdStart(): void {
    this.#coldStart.begin(this.#platform.now());
  }

  /**
   * One call.
   *
   * @param teaches Whether its time says how far away the store is. Default false.
   * @throws StoreError
   */
  async call(call: PipelineCall, { teaches = false } = {}): Promise<PipelineReply> {
    const sentAt = this.#platform.now();
    const reply = await this.#metered(call, sentAt);
    this.#heardAt = this.#platform.now();
    if (teaches) this.learned.replied(this.#heardAt - sentAt);
    else this.learned.heard();
    this.#coldStart.replied(this.#heardAt);
    return reply;
  }

  async #metered(call: PipelineCall, sentAt: number): Promise<PipelineReply> {
    const meter = this.#meter;
    if (!meter) return this.#send(call);
    let failure = "";
    try {
      return await this.#send(call);
    } catch (error) {
      failure = asStoreError(error).code;
      throw error;
    } finally {
      meter.store(call.commands.length, this.#platform.now() - sentAt, failure);
    }
  }
}
