import type { Platform } from "../runtime/platform.ts";
import { ColdStart } from "./cold-start.ts";
import { createTransport, type PipelineCall, type PipelineReply, type Transport } from "./transport.ts";

export interface UpstashOptions {
  url: string;
  token: string;
  platform: Platform;
  /** Milliseconds a call may take on a warm path. */
  deadlineMs: number;
}

/** How long a call that starts now may take, ms, and whether it may have to wait for a handshake. */
export interface Deadline {
  deadlineMs: number;
  cold: boolean;
}

/** How many times as long as a warm call a cold one may take (law 3). */
const COLD_FACTOR = 3;

/**
 * Upstash as the isolate sees it: how long it may take now, and when it last answered. Plain data and functions, so that
 * any number of requests may share it (law 4).
 */
export class Upstash {
  readonly #send: Transport;
  readonly #platform: Platform;
  readonly #deadlineMs: number;
  readonly #coldStart: ColdStart;
  #heardAt = Number.NEGATIVE_INFINITY;

  constructor({ url, token, platform, deadlineMs }: UpstashOptions) {
    this.#send = createTransport({ url, token, platform });
    this.#platform = platform;
    this.#deadlineMs = deadlineMs;
    this.#coldStart = new ColdStart(this.coldDeadlineMs);
  }

  /** Milliseconds since the epoch of the last reply; -Infinity before the first. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** The longest that a call may take, ms. */
  get coldDeadlineMs(): number {
    return this.#deadlineMs * COLD_FACTOR;
  }

  /** The deadline of a call that starts now. */
  startCall(): Deadline {
    const cold = this.#coldStart.startCall(this.#platform.now());
    return { cold, deadlineMs: cold ? this.coldDeadlineMs : this.#deadlineMs };
  }

  /** Says that connections have to be made anew. */
  beginColdStart(): void {
    this.#coldStart.begin(this.#platform.now());
  }

  /** One call. @throws StoreError */
  async call(call: PipelineCall): Promise<PipelineReply> {
    const reply = await this.#send(call);
    this.#heardAt = this.#platform.now();
    this.#coldStart.replied(this.#heardAt);
    return reply;
  }
}
