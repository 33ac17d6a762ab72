import type { OriginFetch } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";

/** Measures how long a request waits for its origin: for header fields, not for bodies. */
export class OriginTime {
  readonly #platform: Pick<Platform, "now">;
  /** Milliseconds so far; null where the origin was not asked. What goes on in the background counts no more. */
  waitedMs: number | null = null;

  constructor(platform: Pick<Platform, "now">) {
    this.#platform = platform;
  }

  /** The same origin, timed. */
  timed(origin: OriginFetch): OriginFetch {
    const { eager } = origin;
    return {
      repeatable: origin.repeatable,
      fetch: (...args) => this.#wait(() => origin.fetch(...args)),
      failed: (failure) => origin.failed?.(failure),
      ...(eager && {
        eager: {
          sentAt: eager.sentAt,
          adopt: (options) => this.#wait(() => eager.adopt(options)),
          giveUp: () => eager.giveUp(),
        },
      }),
    };
  }

  async #wait<Reply>(ask: () => Promise<Reply>): Promise<Reply> {
    const since = this.#platform.now();
    try {
      return await ask();
    } finally {
      this.waitedMs = (this.waitedMs ?? 0) + this.#platform.now() - since;
    }
  }
}
