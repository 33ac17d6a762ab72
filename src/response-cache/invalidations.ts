import type { Platform } from "../runtime/platform.ts";
import type { Batch } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import { defineScript } from "../store/script.ts";
import { MAX_LIFE_MS, type PurgeStatus } from "./purge-log.ts";

/** When what is stored for a URL became invalid (`hard`) or stale (`soft`), ms since the epoch; 0 where it never did. */
export interface InvalidatedAt {
  hard: number;
  soft: number;
}

/** A URL whose entries are invalid now, or stale. */
export interface Invalidation {
  /** Hash of the URL without its scheme: what entries of all audiences have in common. */
  urlHash: string;
  /** The hash in Redis that bears the URL's invalidatedAt. */
  invalidationKey: string;
  soft: boolean;
}

export interface InvalidationsOptions {
  platform: Pick<Platform, "now">;
  /** So many were made here that older ones are forgotten: what the isolate holds can no longer be checked by them. */
  forgotten(): void;
}

/** URLs whose invalidatedAt the isolate remembers. */
const MAX_URLS = 10_000;
const MAX_UNTOLD = 1000;

const invalidationScript = defineScript(`
#!lua flags=allow-key-locking
-- KEYS: the URL's hash. ARGV: field, now, lifetime.
local before = redis.pcall('HGET', KEYS[1], ARGV[1])
if type(before) == 'table' then
  redis.call('DEL', KEYS[1])
  before = false
end
if tonumber(before or 0) < tonumber(ARGV[2]) then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
`);

/**
 * What unsafe methods made invalid (RFC 9111 §4.4), and a HEAD stale (§4.3.5): a stamp in the URL's own hash in Redis, read
 * with every look at it. Unlike a purge it is in no log: however many URLs are written to, nothing else is forgotten.
 */
export class Invalidations {
  readonly #options: InvalidationsOptions;
  readonly #invalidatedAt = new Map<string, InvalidatedAt>();
  readonly #untold: Outbox<Invalidation>;

  constructor(options: InvalidationsOptions) {
    const { platform } = options;
    this.#options = options;
    this.#untold = new Outbox({
      platform,
      entries: MAX_UNTOLD,
      // With the time of now, here too: what others stored since may be what was to go.
      write: (batch, invalidation) => {
        this.add(invalidation);
        return this.#queue(batch, invalidation, platform.now());
      },
    });
  }

  get size(): number {
    return this.#invalidatedAt.size;
  }

  /** Known here at once; {@link write} tells the others. */
  add({ urlHash, soft }: Pick<Invalidation, "urlHash" | "soft">): void {
    const now = this.#options.platform.now();
    this.learn(urlHash, soft ? { hard: 0, soft: now } : { hard: now, soft: 0 });
  }

  /** Takes in what a look brought. */
  learn(urlHash: string, { hard, soft }: InvalidatedAt): void {
    if (hard === 0 && soft === 0) return;
    const known = this.#invalidatedAt.get(urlHash) ?? { hard: 0, soft: 0 };
    this.#invalidatedAt.delete(urlHash);
    this.#invalidatedAt.set(urlHash, { hard: Math.max(known.hard, hard), soft: Math.max(known.soft, soft) });
    if (this.#invalidatedAt.size <= MAX_URLS) return;
    const [oldest = ""] = this.#invalidatedAt.keys();
    this.#invalidatedAt.delete(oldest);
    this.#options.forgotten();
  }

  purgeStatus(urlHash: string, requestTime: number): PurgeStatus {
    const { hard, soft } = this.#invalidatedAt.get(urlHash) ?? { hard: 0, soft: 0 };
    if (hard >= requestTime) return { kind: "hard" };
    return soft >= requestTime ? { kind: "soft", since: soft } : { kind: "none" };
  }

  /**
   * Queues it. What Redis does not take is told with a later {@link replay}.
   *
   * @param at When it became so, ms since the epoch.
   * @returns false where there is no room for it.
   */
  async write(batch: Batch, invalidation: Invalidation, at: number): Promise<boolean> {
    const { invalidationKey, soft } = invalidation;
    const { platform } = this.#options;
    try {
      await this.#queue(batch, invalidation, at);
      return true;
    } catch {
      const until = platform.now() + MAX_LIFE_MS;
      return this.#untold.put(`${soft ? "soft" : "hard"} ${invalidationKey}`, invalidation, until);
    }
  }

  replay(batch: Batch) {
    return this.#untold.replay(batch);
  }

  #queue(batch: Batch, { invalidationKey, soft }: Invalidation, at: number): Promise<unknown> {
    const field = soft ? STAMP_FIELDS.soft : STAMP_FIELDS.hard;
    return batch.run(invalidationScript, [invalidationKey], [field, at, MAX_LIFE_MS]);
  }
}

/** The names of the invalidatedAt in a URL's hash. */
export const STAMP_FIELDS = { hard: "p", soft: "s" } as const;
