import { errorFacts } from "../events/error-place.ts";
import type { Events } from "../events/events.ts";
import type { Batch } from "../store/batch.ts";
import type { Store } from "../store/store.ts";

type Work = (batch: Batch) => void | Promise<void>;

export interface AfterOptions {
  store: Store;
  events: Events;
  requestId: string;
  /** What else is due beside a request, or null. Default nothing. */
  maintain?(): Promise<void> | null;
  /** Keeps the invocation alive until the promise settles. */
  waitUntil(work: Promise<unknown>): void;
}

/**
 * What a request leaves to be done once its response is on the way: everything that is written shares one more batch, and
 * so do a probe of the store and the replay of what it missed.
 */
export class AfterResponse {
  readonly #options: AfterOptions;
  #works: Work[] = [];
  readonly #inside: AfterResponse[] = [];
  #started = false;

  constructor(options: AfterOptions) {
    this.#options = options;
  }

  /** Adds work. Work that is added after {@link start} gets a batch of its own. */
  add(work: Work): void {
    this.#works.push(work);
    if (this.#started) this.#options.waitUntil(this.#run());
  }

  /** Starts the other one with this one. Where both have one store, what is written by then shares one batch. */
  join(inside: AfterResponse): void {
    this.#inside.push(inside);
  }

  /** Starts the work when the response is ready. Further calls do nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const inside of this.#inside) {
      if (inside.#options.store === this.#options.store) this.#works.push(...inside.#works.splice(0));
      inside.start();
    }
    const { waitUntil } = this.#options;
    const work = this.#works.length > 0 ? this.#runAndMaintain() : this.#maintain();
    if (work) waitUntil(work);
  }

  async #runAndMaintain(): Promise<void> {
    await this.#run();
    await this.#maintain();
  }

  #maintain(): Promise<unknown> | null {
    const { store, maintain, events, requestId } = this.#options;
    const inStore = store.maintenance();
    const more = maintain?.();
    if (!more) return inStore;
    return Promise.all([
      inStore,
      more.catch((error: unknown) => {
        events.emit("after.failed", { request_id: requestId, ...errorFacts(error) });
      }),
    ]);
  }

  async #run(): Promise<void> {
    const { store, events, requestId } = this.#options;
    const works = this.#works;
    this.#works = [];
    if (works.length === 0) return;
    const batch = store.batch();
    await Promise.all(
      works.map(async (work) => {
        try {
          await work(batch);
        } catch (error) {
          events.emit("after.failed", { request_id: requestId, ...errorFacts(error) });
        }
      }),
    );
    await batch.send();
  }
}
