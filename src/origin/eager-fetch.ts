import type { EagerReply, OriginFailure, OriginFetchOptions, OriginReply } from "../request/origin-reply.ts";
import type { Forwarded } from "./forward.ts";
import type { Exchange } from "./note-verified-key.ts";
import type { OriginUrl } from "./origin-url.ts";

/** A request on its way. */
export interface Sent extends Pick<Exchange, "sentAt" | "method" | "headers"> {
  url: OriginUrl;
  /** As the origin gives it. */
  reply: Promise<Forwarded | OriginFailure>;
}

/** What became of an eager fetch. */
export type EagerOutcome = "used" | "wasted";

/**
 * A request to the origin whose answer may turn out not to be needed: the store denies its caller, or has a stored answer.
 * Until it is adopted nothing of its answer is read, and it is none of `waitUntil`: it ends with its client.
 */
export class EagerFetch {
  /** When it began, ms since the epoch: a purge that comes later makes what it brings invalid. */
  readonly sentAt: number;
  readonly #sending: Promise<Sent>;
  readonly #abort: AbortController;
  readonly #ended: (outcome: EagerOutcome) => void;
  #outcome: EagerOutcome | undefined;

  /** @param ended Called once, when it is known whether the answer is needed. */
  constructor(
    sentAt: number,
    sending: Promise<Sent>,
    { abort, ended }: { abort: AbortController; ended: (outcome: EagerOutcome) => void },
  ) {
    this.sentAt = sentAt;
    this.#sending = sending;
    this.#abort = abort;
    this.#ended = ended;
    sending.catch(() => {});
  }

  /** Undefined while it is not known. */
  get outcome(): EagerOutcome | undefined {
    return this.#outcome;
  }

  /** Gives it up, unless it was adopted: it is aborted, and what has come of its body is thrown away unread. */
  end(): void {
    if (!this.#settle("wasted")) return;
    this.#abort.abort();
    void this.#sending
      .then(({ reply }) => reply)
      .then((reply) => (reply.kind === "response" ? reply.response.body?.cancel() : undefined))
      .catch(() => {});
  }

  /** @param receive Waits for the answer and reads it. */
  asReply(receive: (sent: Sent, options: OriginFetchOptions) => Promise<OriginReply>): EagerReply {
    return {
      sentAt: this.sentAt,
      adopt: async (options = {}) => {
        this.#settle("used");
        return receive(await this.#sending, options);
      },
      giveUp: () => this.end(),
    };
  }

  #settle(outcome: EagerOutcome): boolean {
    if (this.#outcome) return false;
    this.#outcome = outcome;
    this.#ended(outcome);
    return true;
  }
}
