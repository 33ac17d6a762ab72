import { BoundedMap } from "../runtime/bounded-map.ts";
import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "../store/errors.ts";
import type { D1SessionStore, LateWrite } from "./d1-session-store.ts";

export interface DatabaseOutboxOptions {
  sessionStore: Pick<D1SessionStore, "write">;
  platform: Pick<Platform, "now">;
  /** A write is dropped after this many seconds: no token of its session is valid any more. */
  absoluteSeconds: number;
  /** Maximum number of writes of each kind. Default 10000. */
  entries?: number;
}

const MAX_BYTES = 8 * 1024 * 1024;
/** Each is up to three statements. A Worker on the free plan may make 50 in all for a request and what follows it. */
const MAX_WRITES_PER_CALL = 6;
/** Until the next attempt after one that failed, ms, and until what an invocation has sent that ended since is sent again. */
const PAUSE_MS = 5000;

const NEVER = Number.NEGATIVE_INFINITY;

/** `refused`: what the database did not take by itself, of any kind. */
type List = LateWrite["kind"] | "refused";

interface Kept {
  write: LateWrite;
  expiresAt: number;
  /** When an invocation began to write it, ms since the epoch. It is not sent twice at once. */
  sentAt: number;
}

interface Due {
  list: BoundedMap<Kept>;
  name: string;
  kept: Kept;
}

/**
 * Changes that Redis has and the database is still to be told of. Whichever request ends next writes them after its response,
 * ends before sessions: each may come in any order. Each kind has a list of its own, so that nothing takes the room of an end.
 * What a full list does not keep, Redis has, where sessions are there.
 */
export class DatabaseOutbox {
  readonly #options: DatabaseOutboxOptions;
  /** In the order in which they are written. */
  readonly #lists: Record<List, BoundedMap<Kept>>;
  #count = 0;
  #nextAt = NEVER;
  /** Writes in the next call: one after a failure, so that one that can never be written stops no other. */
  #perCall = MAX_WRITES_PER_CALL;

  constructor(options: DatabaseOutboxOptions) {
    const { platform, entries = 10_000 } = options;
    this.#options = options;
    const list = () =>
      new BoundedMap<Kept>({
        platform,
        entries,
        bytes: MAX_BYTES,
        sizeOf: ({ write }) => 512 + (write.kind === "adopt" ? 2 * write.session.text.length : 0),
        whenFull: "refuse",
      });
    this.#lists = {
      "end everyone": list(),
      "end user": list(),
      end: list(),
      adopt: list(),
      refused: list(),
    };
  }

  get size(): number {
    return Object.values(this.#lists).reduce((sum, { size }) => sum + size, 0);
  }

  /** @returns false where there was no room for one of them. */
  put(...writes: readonly LateWrite[]): boolean {
    const { platform, absoluteSeconds } = this.#options;
    const expiresAt = platform.now() + absoluteSeconds * 1000;
    return writes.map((write) => this.#put(write.kind, { write, expiresAt, sentAt: NEVER })).every(Boolean);
  }

  #put(list: List, kept: Kept): boolean {
    this.#count += 1;
    // The last end of everyone's sessions covers those before.
    const name = list === "end everyone" ? list : String(this.#count);
    return this.#lists[list].set(name, kept, kept.expiresAt);
  }

  /**
   * Writes some of what waits with one call, for `waitUntil`: each kind oldest first. What another request is writing is left to that
   * one; a request that comes meanwhile writes what has been added since, because no later one may come.
   *
   * @returns null where nothing is due.
   */
  run(): Promise<void> | null {
    const now = this.#options.platform.now();
    // A clock that went back must not delay it by as much.
    if (this.size === 0 || (now < this.#nextAt && this.#nextAt - now <= PAUSE_MS)) return null;
    const due = this.#due(now);
    return due.length === 0 ? null : this.#run(due, now);
  }

  async #run(due: readonly Due[], now: number): Promise<void> {
    const { sessionStore, platform } = this.#options;
    for (const { kept } of due) kept.sentAt = now;
    try {
      await sessionStore.write(due.map(({ kept }) => kept.write));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      for (const { kept } of due) kept.sentAt = NEVER;
      this.#perCall = 1;
      const [only, ...others] = due;
      const isRefused = only !== undefined && others.length === 0 && error.code !== "open";
      if (isRefused && this.#put("refused", only.kept)) this.#drop(only);
      this.#nextAt = platform.now() + PAUSE_MS;
      return;
    }
    for (const each of due) this.#drop(each);
    this.#perCall = MAX_WRITES_PER_CALL;
    this.#nextAt = NEVER;
  }

  #due(now: number): Due[] {
    const due: Due[] = [];
    for (const list of Object.values(this.#lists)) {
      // What was refused goes by itself.
      const isLast = list === this.#lists.refused;
      if (isLast && due.length > 0) break;
      const most = isLast ? 1 : this.#perCall;
      for (const [name, kept] of list) {
        if (now >= kept.sentAt && now - kept.sentAt < PAUSE_MS) continue;
        if (due.push({ list, name, kept }) === most) return due;
      }
    }
    return due;
  }

  /** Another may have taken its place meanwhile: that one stays. */
  #drop({ list, name, kept }: Due): void {
    if (list.get(name) === kept) list.delete(name);
  }
}
