import type { Platform } from "../runtime/platform.ts";
import type { Trip } from "../store/batch.ts";
import { Outbox } from "../store/outbox.ts";
import { defineScript } from "../store/script.ts";
import { LONGEST_LIFE_MS, type PurgeFate } from "./purge-log.ts";

/** When what is stored for a URL became invalid (`hard`) or stale (`soft`), ms since the epoch; 0 where it never did. */
export interface Stamps {
  hard: number;
  soft: number;
}

/** A URL whose entries are invalid now, or stale. */
export interface Invalidation {
  /** Hash of the URL without its scheme: what entries of all audiences have in common. */
  urlHash: string;
  /** The hash in Redis that bears the URL's stamps. */
  stampKey: string;
  soft: boolean;
}

export interface InvalidationsOptions {
  platform: Pick<Platform, "now">;
  /** So many were made here that older ones are forgotten: what the isolate holds can no longer be judged by them. */
  forgotten(): void;
}

/** URLs whose stamps the isolate remembers. */
const MOST_URLS = 10_000;
const MOST_UNTOLD = 1000;

const stampScript = defineScript(`
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
  readonly #stamps = new Map<string, Stamps>();
  readonly #untold: Outbox<Invalidation>;

  constructor(options: InvalidationsOptions) {
    const { platform } = options;
    this.#options = options;
    this.#untold = new Outbox({
      platform,
      entries: MOST_UNTOLD,
      // With the time of now, here too: what others stored since may be what was to go.
      write: (trip, invalidation) => {
        this.add(invalidation);
        return this.#queue(trip, invalidation, platform.now());
      },
    });
  }

  get size(): number {
    return this.#stamps.size;
  }

  /** Known here at once; {@link write} tells the others. */
  add({ urlHash, soft }: Pick<Invalidation, "urlHash" | "soft">): void {
    const now = this.#options.platform.now();
    this.learn(urlHash, soft ? { hard: 0, soft: now } : { hard: now, soft: 0 });
  }

  /** Takes in what a look brought. */
  learn(urlHash: string, { hard, soft }: Stamps): void {
    if (hard === 0 && soft === 0) return;
    const known = this.#stamps.get(urlHash) ?? { hard: 0, soft: 0 };
    this.#stamps.delete(urlHash);
    this.#stamps.set(urlHash, { hard: Math.max(known.hard, hard), soft: Math.max(known.soft, soft) });
    if (this.#stamps.size <= MOST_URLS) return;
    const [oldest = ""] = this.#stamps.keys();
    this.#stamps.delete(oldest);
    this.#options.forgotten();
  }

  fate(urlHash: string, requestTime: number): PurgeFate {
    const { hard, soft } = this.#stamps.get(urlHash) ?? { hard: 0, soft: 0 };
    if (hard >= requestTime) return { kind: "hard" };
    return soft >= requestTime ? { kind: "soft", since: soft } : { kind: "none" };
  }

  /**
   * Queues it. What Redis does not take is told with a later {@link replay}.
   *
   * @param at When it became so, ms since the epoch.
   * @returns false where there is no room for it.
   */
  async write(trip: Trip, invalidation: Invalidation, at: number): Promise<boolean> {
    const { stampKey, soft } = invalidation;
    const { platform } = this.#options;
    try {
      await this.#queue(trip, invalidation, at);
      return true;
    } catch {
      const until = platform.now() + LONGEST_LIFE_MS;
      return this.#untold.put(`${soft ? "soft" : "hard"} ${stampKey}`, invalidation, until);
    }
  }

  replay(trip: Trip) {
    return this.#untold.replay(trip);
  }

  #queue(trip: Trip, { stampKey, soft }: Invalidation, at: number): Promise<unknown> {
    const field = soft ? STAMP_FIELDS.soft : STAMP_FIELDS.hard;
    return trip.run(stampScript, [stampKey], [field, at, LONGEST_LIFE_MS]);
  }
}

/** The names of the stamps in a URL's hash. */
export const STAMP_FIELDS = { hard: "p", soft: "s" } as const;
