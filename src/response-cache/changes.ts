/**
 * The set of URLs whose stored entries were changed lately by a write or a withdrawal, by time. Batches read it along with the
 * purge log. So every isolate learns of a change within its maximum age, also where nobody asks it for that very URL, and
 * where nothing of the URL is stored yet: a fill that is under way then may bring what the change was to end.
 */

/** Ms for which a change stands there: longer than a fill takes, and than any active isolate goes without reading. */
export const CHANGE_LIFE_MS = 600_000;
/** Members, so that reading them all is well below 128 KB. Beyond it the older half leaves, and {@link MISSED} says up to when. */
export const MAX_CHANGES = 2000;
/** Clocks of two isolates may differ by this much, ms. */
export const CLOCKS_DIFFER_MS = 10_000;
/**
 * Calls that a change may be late by: it has its time before it is sent, and is sent twice where the script is not known; and a reading
 * counts from its reply.
 */
const LATE_CALLS = 3;

/** What changed: a URL's entries became invalid (`h`) or stale (`s`), by the URL's hash; an address's entries were withdrawn (`d`). */
export type ChangeMember = `${"h" | "s" | "d"}${string}`;

/** The member whose score says up to when changes are missed. */
export const MISSED = "!";

/**
 * For scripts: notes a change in the set at KEYS[2]. Of too many it drops half: else each further write would have every isolate drop
 * what it holds.
 */
export const NOTE_CHANGE = `
local function note(at, member, now)
  if type(redis.pcall('ZADD', KEYS[2], 'GT', at, member)) == 'table' then
    redis.call('DEL', KEYS[2])
    redis.call('ZADD', KEYS[2], at, member, now, '${MISSED}')
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - ${CHANGE_LIFE_MS})
  local over = redis.call('ZCARD', KEYS[2]) - ${MAX_CHANGES}
  if over > 0 then
    over = over + ${MAX_CHANGES / 2}
    local last = redis.call('ZRANGE', KEYS[2], over, over, 'WITHSCORES')
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over)
    redis.call('ZADD', KEYS[2], 'GT', last[2], '${MISSED}')
  end
  redis.call('PEXPIRE', KEYS[2], ${CHANGE_LIFE_MS})
end
`;

export interface ChangeReader {
  invalidate(url: { urlHash: string }, at: { hard: number; soft: number }): void;
  /** Drops an address's entries of requests up to then. */
  dropOlder(address: { key: string }, requestTime: number): void;
  /** Drops all entries, and what requests up to then are yet to bring: what has changed since is not known. */
  dropAll(requestTime: number): void;
}

/** What the isolate has read of changes. */
export class Changes {
  /** What others have written is read again from that far back, ms: it may have arrived since. */
  readonly #againMs: number;
  #readAt = Number.NEGATIVE_INFINITY;
  #missedUpTo = Number.NEGATIVE_INFINITY;

  /** @param longestCallMs The longest that a call to the store may take. */
  constructor(longestCallMs: number) {
    this.#againMs = CLOCKS_DIFFER_MS + LATE_CALLS * longestCallMs;
  }

  /** The score from which they must be read. */
  get since(): string {
    return Number.isFinite(this.#readAt) ? String(this.#readAt - this.#againMs) : "-inf";
  }

  /**
   * Takes in what a batch has read, and drops what the isolate holds where it may have missed a change.
   *
   * @param membersAndScores Members and scores by turns; others than changes are passed over.
   */
  learn(membersAndScores: readonly unknown[], now: number, reader: ChangeReader): void {
    const pause = now - this.#readAt;
    if (Number.isFinite(pause) && (pause < 0 || pause > CHANGE_LIFE_MS - this.#againMs))
      reader.dropAll(now - CHANGE_LIFE_MS);
    this.#readAt = now;
    for (let index = 0; index + 1 < membersAndScores.length; index += 2) {
      const member = membersAndScores[index];
      const time = Number(membersAndScores[index + 1]);
      if (typeof member !== "string" || !Number.isFinite(time)) continue;
      this.#apply(member, time, reader);
    }
  }

  #apply(member: string, time: number, reader: ChangeReader): void {
    const name = member.slice(1);
    if (member.startsWith("h")) reader.invalidate({ urlHash: name }, { hard: time, soft: 0 });
    if (member.startsWith("s")) reader.invalidate({ urlHash: name }, { hard: 0, soft: time });
    if (member.startsWith("d")) reader.dropOlder({ key: name }, time);
    if (member !== MISSED || time <= this.#missedUpTo) return;
    this.#missedUpTo = time;
    reader.dropAll(time);
  }
}
