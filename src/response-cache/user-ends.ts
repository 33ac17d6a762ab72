import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import type { Keys } from "../store/keys.ts";
import { Outbox } from "../store/outbox.ts";
import { MAX_LIFE_MS } from "./purge-log.ts";

export interface UserEndsOptions {
  platform: Pick<Platform, "now">;
  keys: Pick<Keys, "userEnd">;
  /** Most ms for which the isolate goes by what it has read. */
  isolateMaxAgeMs: number;
  /** Called with a time that is no longer remembered here: what is older cannot be checked by it. */
  forgotten(at: number): void;
}

interface UserEnd {
  /** When all of the user's entries ended, ms since the epoch; 0 where they never did. */
  at: number;
  readAt: number;
}

const MAX_USERS = 10_000;
const MAX_PENDING = 1000;

/**
 * When all entries of a user ended, for a user's data that is to be deleted: one time per user in Redis, read in the MGET
 * of the request's batch. Users appear as hashes only. An entry whose request left before that time is as if it had never been stored.
 */
export class UserEnds {
  readonly #options: UserEndsOptions;
  readonly #known = new Map<string, UserEnd>();
  /** Written when Redis is back. */
  readonly #pending: Outbox<true>;

  constructor(options: UserEndsOptions) {
    const { platform } = options;
    this.#options = options;
    this.#pending = new Outbox({
      platform,
      entries: MAX_PENDING,
      write: (batch, _, user) => {
        this.add([user], platform.now());
        return this.#queue(user, platform.now(), batch);
      },
    });
  }

  /** Ms since the epoch; 0 where none is known. */
  endedAt(user: string): number {
    return this.#known.get(user)?.at ?? 0;
  }

  /** Queues the read of a user's time, unless it was read lately. @returns what settles once it is known, or null. */
  read(user: string, batch: Batch): Promise<void> | null {
    const { platform, keys, isolateMaxAgeMs } = this.#options;
    const age = platform.now() - (this.#known.get(user)?.readAt ?? Number.NEGATIVE_INFINITY);
    if (age >= 0 && age <= isolateMaxAgeMs) return null;
    const reading = batch.read(keys.userEnd(user)).then((text) => {
      this.#set(user, { at: Number(text) || 0, readAt: platform.now() });
    });
    reading.catch(() => {});
    return reading;
  }

  /** Ends all entries of users in this isolate; {@link write} does so for the others. */
  add(users: readonly string[], now: number): void {
    for (const user of users) {
      const readAt = this.#known.get(user)?.readAt ?? Number.NEGATIVE_INFINITY;
      this.#set(user, { at: now, readAt });
    }
  }

  /**
   * Queues the times for Redis. One that does not arrive is kept for a later {@link replay}.
   *
   * @returns `written`; `kept`; `lost`, where there is no room to keep one.
   */
  async write(users: readonly string[], now: number, batch: Batch): Promise<"written" | "kept" | "lost"> {
    const outcomes = await Promise.allSettled(users.map((user) => this.#queue(user, now, batch)));
    const unwritten = users.filter((_, index) => outcomes[index]?.status === "rejected");
    if (unwritten.length === 0) return "written";
    const kept = unwritten.map((user) => this.#pending.put(user, true, now + MAX_LIFE_MS));
    return kept.every(Boolean) ? "kept" : "lost";
  }

  replay(batch: Batch) {
    return this.#pending.replay(batch);
  }

  #queue(user: string, at: number, batch: Batch): Promise<unknown> {
    const { keys } = this.#options;
    return batch.queue((pipeline) => pipeline.set(keys.userEnd(user), String(at), { px: MAX_LIFE_MS }));
  }

  /** The later of two times counts. */
  #set(user: string, { at, readAt }: UserEnd): void {
    const known = this.endedAt(user);
    this.#known.delete(user);
    this.#known.set(user, { at: Math.max(at, known), readAt });
    if (this.#known.size <= MAX_USERS) return;
    const [oldest] = this.#known;
    if (!oldest) return;
    this.#known.delete(oldest[0]);
    if (oldest[1].at > 0) this.#options.forgotten(oldest[1].at);
  }
}
