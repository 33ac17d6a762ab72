import { purgedAs } from "../http/url-spelling.ts";

/** What a purge reaches. */
export type PurgeTarget =
  /** Hash of one URL: all its variants, for every audience. */
  | { kind: "url"; value: string }
  /** `host/path/`, ending at a slash. */
  | { kind: "prefix"; value: string }
  /** A path without a slash at its end, on every host: with any query, and all that is below it. */
  | { kind: "path"; value: string }
  /** Lower case. */
  | { kind: "tag"; value: string }
  /** All tags that begin so. Lower case. */
  | { kind: "tags"; value: string }
  /** The hash of a user; "" for several. It is told and reaches nothing: what does is the time of the user's own end. */
  | { kind: "user"; value: string }
  | { kind: "everything"; value: "" };

export interface Purge {
  target: PurgeTarget;
  /** Stale instead of gone. */
  soft: boolean;
  /**
   * A wider target, which is one for many purges: it is purged in place of this one where the log has room for no more of
   * them. Absent where there is none: such purges are few.
   */
  wider?: PurgeTarget;
}

/** A purge and when it was made, ms since the epoch. */
export interface TimedPurge extends Pick<Purge, "target" | "soft"> {
  at: number;
}

/** The facts of an entry by which it is purged. */
export interface PurgeFacts {
  urlHash: string;
  /** Of the URL in one spelling, where it is stored in another. */
  spelledHash?: string | undefined;
  url: string;
  tags: readonly string[];
  requestTime: number;
  /** When the request was sent that brought its content; the origin may have confirmed it since. */
  contentTime: number;
}

export type PurgeStatus = { kind: "none" } | { kind: "hard" } | { kind: "soft"; since: number };

const NOT_PURGED = { kind: "none" } as const;

export const PURGE_KINDS = ["url", "prefix", "path", "tag", "tags", "user", "everything"] as const;
export const EVERYTHING: Purge = { target: { kind: "everything", value: "" }, soft: false };

/** Purges of one moment that are always kept one by one: what one call of an operator may make. */
export const MAX_AT_ONCE = 1000;

/** Ms since the epoch by target. */
type Times = Map<string, number>;

/** When what was last purged, as the isolate knows it. */
export class PurgeTimes {
  readonly #max: number;
  readonly #hard = emptyTimes();
  readonly #soft = emptyTimes();
  /** Nothing was ever noted. */
  #isEmpty = true;
  /** The most characters of a prefix or a path that was ever purged. */
  #longest = 0;

  /**
   * @param max Most times kept, more than {@link MAX_AT_ONCE}; beyond it the oldest become a purge of everything up to their time: a
   *   soft one for soft ones.
   */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return [...this.#all()].reduce((sum, [, , times]) => sum + times.size, 0);
  }

  has({ target, soft }: Purge): boolean {
    return this.#of(soft)[target.kind].has(target.value);
  }

  note({ target, soft }: Purge, time: number): void {
    const times = this.#of(soft)[target.kind];
    this.#isEmpty = false;
    times.set(target.value, Math.max(time, times.get(target.value) ?? time));
    if (target.kind === "prefix" || target.kind === "path")
      this.#longest = Math.max(this.#longest, target.value.length);
    if (this.size > this.#max) this.#shorten();
  }

  /** The latest, newest first. */
  latest(most: number): TimedPurge[] {
    return [...this.#all()]
      .flatMap(([soft, kind, times]) =>
        [...times].map(([value, at]): TimedPurge => ({ target: { kind, value } as PurgeTarget, soft, at })),
      )
      .sort((one, other) => other.at - one.at)
      .slice(0, most);
  }

  /** `hard`: as if it had never been stored. `soft`: stale since then, ms since the epoch. */
  status(entry: PurgeFacts): PurgeStatus {
    // Each hit asks, and most isolates have heard of no purge.
    if (this.#isEmpty) return NOT_PURGED;
    if (reaching(this.#hard, entry, this.#longest).some((time) => time >= entry.contentTime))
      return { kind: "hard" };
    const soft = reaching(this.#soft, entry, this.#longest).filter((time) => time >= entry.requestTime);
    return soft.length > 0 ? { kind: "soft", since: Math.min(...soft) } : NOT_PURGED;
  }

  #of(soft: boolean) {
    return soft ? this.#soft : this.#hard;
  }

  *#all(): Iterable<[soft: boolean, kind: PurgeTarget["kind"], times: Times]> {
    for (const kind of PURGE_KINDS) {
      yield [false, kind, this.#hard[kind]];
      yield [true, kind, this.#soft[kind]];
    }
  }

  #shorten(): void {
    const known = [...this.#all()].flatMap(([soft, , times]) =>
      [...times].map(([value, time]) => ({ soft, times, value, time })),
    );
    // Many at once, because all are sorted for it; and none of the newest call's.
    const oldest = known.sort((one, other) => one.time - other.time).slice(0, this.#max - MAX_AT_ONCE);
    for (const { times, value } of oldest) times.delete(value);
    for (const soft of [false, true]) {
      const last = oldest.findLast((each) => each.soft === soft);
      if (last) this.note({ ...EVERYTHING, soft }, last.time);
    }
  }
}

function emptyTimes(): Record<PurgeTarget["kind"], Times> {
  const empty = (): Times => new Map();
  return {
    ...{ url: empty(), prefix: empty(), path: empty(), tag: empty(), tags: empty() },
    ...{ user: empty(), everything: empty() },
  };
}

/** Of few beginnings each is compared; of many, each beginning of the tag is looked up: a tag is short. */
function addBeginnings(tag: string, times: Times, add: (time: number | undefined) => void): void {
  if (times.size <= tag.length) {
    for (const [beginning, time] of times) if (tag.startsWith(beginning)) add(time);
  } else for (let end = 0; end <= tag.length; end += 1) add(times.get(tag.slice(0, end)));
}

/**
 * The times of all purges that reach an entry.
 *
 * @param longest The most characters of a prefix or a path. Longer beginnings of an entry's address are not looked up: a stranger's
 *   may have 8000 slashes, and each beginning is hashed from its first character.
 */
function reaching(known: Record<PurgeTarget["kind"], Times>, entry: PurgeFacts, longest: number): number[] {
  const { urlHash, spelledHash, url, tags } = entry;
  const found: number[] = [];
  const add = (time: number | undefined) => {
    if (time !== undefined) found.push(time);
  };
  add(known.everything.get(""));
  add(known.url.get(urlHash));
  if (spelledHash) add(known.url.get(spelledHash));
  if (known.tag.size > 0) for (const tag of tags) add(known.tag.get(tag));
  if (known.tags.size > 0) for (const tag of tags) addBeginnings(tag, known.tags, add);
  if (known.prefix.size === 0 && known.path.size === 0) return found;
  const [written = ""] = url.split("?", 1);
  for (const path of new Set([written, purgedAs(written)])) {
    const root = path.indexOf("/");
    for (let end = root; end !== -1 && end - root <= longest; end = path.indexOf("/", end + 1)) {
      add(known.prefix.get(path.slice(0, end + 1)));
      add(known.path.get(path.slice(root, end)));
    }
    add(known.path.get(path.slice(root)));
  }
  return found;
}
