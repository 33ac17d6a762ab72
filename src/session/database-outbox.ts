import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "../store/errors.ts";
import type { D1SessionStore, LateWrite } from "./d1-session-store.ts";

export interface DatabaseOutboxOptions {
  sessionStore: Pick<D1SessionStore, "write">;
  platform: Pick<Platform, "now">;
  /** A write is dropped after this many seconds: no token of its session is valid any more. */
  absoluteSeconds: number;
  /** Maximum number of writes. Default 10000. */
  entries?: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_WRITES_PER_CALL = 20;
/** Calls of one run: a Worker on the free plan may make 50. */
const MAX_CALLS = 5;
/** Until the next attempt after one that failed, ms, and until another run may start while one is under way. */
const PAUSE_MS = 5000;

/**
 * Changes that Redis has and the database is still to be told of. Whichever request ends next writes them after its response.
 * When it is full, further changes are not kept: Redis has them.
 */
export class DatabaseOutbox {
  readonly #options: DatabaseOutboxOptions;
  readonly #writes: BoundedMap<{ write: LateWrite; expiresAt: number }>;
  #count = 0;
  #nextAt = Number.NEGATIVE_INFINITY;
  /** Writes in the next call: one after a failure, so that one that can never be written stops no other. */
  #perCall = MAX_WRITES_PER_CALL;

  constructor(options: DatabaseOutboxOptions) {
    const { platform, entries = 10_000 } = options;
    this.#options = options;
    this.#writes = new BoundedMap({
      platform,
      entries,
      bytes: MAX_BYTES,
      sizeOf: ({ write }) => 512 + (write.kind === "adopt" ? 2 * write.session.text.length : 0),
      whenFull: "refuse",
    });
  }

  get size(): number {
    return this.#writes.size;
  }

  put(...writes: readonly LateWrite[]): void {
    const { platform, absoluteSeconds } = this.#options;
    const expiresAt = platform.now() + absoluteSeconds * 1000;
    for (const write of writes) this.#put({ write, expiresAt });
  }

  #put(kept: { write: LateWrite; expiresAt: number }): void {
    this.#count += 1;
    this.#writes.set(String(this.#count), kept, kept.expiresAt);
  }

  /** Writes what waits, oldest first, for `waitUntil`. @returns null where nothing is due. */
  run(): Promise<void> | null {
    const now = this.#options.platform.now();
    // A clock that went back must not delay it by as much.
    if (this.size === 0 || (now < this.#nextAt && this.#nextAt - now <= PAUSE_MS)) return null;
    this.#nextAt = now + PAUSE_MS;
    return this.#run();
  }

  async #run(): Promise<void> {
    const { sessionStore, platform } = this.#options;
    for (let calls = 0; calls < MAX_CALLS && this.size > 0; calls += 1) {
      const due: [string, { write: LateWrite; expiresAt: number }][] = [];
      for (const each of this.#writes) {
        if (due.push(each) === this.#perCall) break;
      }
      try {
        await sessionStore.write(due.map(([, { write }]) => write));
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        this.#perCall = 1;
        const [first] = due;
        if (first && error.code !== "open") {
          this.#writes.delete(first[0]);
          this.#put(first[1]);
        }
        this.#nextAt = platform.now() + PAUSE_MS;
        return;
      }
      for (const [name] of due) this.#writes.delete(name);
      this.#perCall = MAX_WRITES_PER_CALL;
    }
    this.#nextAt = Number.NEGATIVE_INFINITY;
  }
}
