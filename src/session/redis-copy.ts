import type { Events } from "../events/events.ts";
import type { Platform } from "../runtime/platform.ts";

/** Where the copy of the journal in Redis stands: `{sessions}:carried`, see store/keys.ts. */
export interface Position {
  /** The id of the database. */
  database: string;
  /** Up to which entry Redis has its journal. */
  seq: number;
  /** When that was last compared with the database, ms since the epoch. */
  comparedAt: number;
}

/** An isolate that has compared them takes Redis' word for so long after the last comparison, its own or another's, ms. */
const COMPARED_MS = 30_000;
/** Another database's position is a sign of two at once for so long, ms. */
const SHARED_MS = 60_000;

/** @returns null for a text that is none, and where there is none. */
function parsePosition(text: string | null): Position | null {
  const [, database, seq, comparedAt] = /^(\w+) (\d{1,15}) (\d{1,15})$/.exec(text ?? "") ?? [];
  return database === undefined ? null : { database, seq: Number(seq), comparedAt: Number(comparedAt) };
}

export function positionText({ database, seq, comparedAt }: Position): string {
  return `${database} ${seq} ${comparedAt}`;
}

/**
 * Whether Redis has everything that the database has, as far as this isolate knows. Where it is not sure, a request with a
 * session asks both.
 */
export class RedisCopy {
  readonly #platform: Pick<Platform, "now">;
  readonly #events: Events;
  /** The position that was seen last. */
  #position: Position | null = null;
  #text: string | null = null;
  #seenAt = Number.NEGATIVE_INFINITY;
  #used = false;
  #doubts = 0;
  #learned = 0;
  /** `new`: this isolate has not compared yet. */
  #state: "new" | "doubted" | "compared" = "new";
  /** When this isolate compared, ms since the epoch. */
  #comparedAt = Number.NEGATIVE_INFINITY;
  /** The database that this isolate compares, once it has. */
  #own: string | null = null;
  #sharedAt = Number.NEGATIVE_INFINITY;

  constructor(platform: Pick<Platform, "now">, events: Events) {
    this.#platform = platform;
    this.#events = events;
  }

  /** Whether another database was compared with the same Redis a moment ago, since this isolate has compared its own. */
  get shared(): boolean {
    return this.#within(this.#sharedAt, SHARED_MS);
  }

  /** How often it was doubted. A comparison that began before the last time proves nothing. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Notes that this isolate serves sessions. One that serves none has nothing to compare, and nothing to delete. */
  use(): void {
    this.#used = true;
  }

  get used(): boolean {
    return this.#used;
  }

  /** Says that Redis may lack what the database has: this isolate has lost Redis, or has written to the database alone. */
  doubt(): void {
    this.#state = "doubted";
    this.#doubts += 1;
  }

  /** Whether a comparison is due at once. */
  get doubted(): boolean {
    return this.#state !== "compared";
  }

  /** Counts the positions that were learned. Taken before the position is read, it is for {@link see}. */
  get learned(): number {
    return this.#learned;
  }

  /**
   * Notes what Redis holds at the position's key. Redis that is behind what it was has lost data.
   *
   * @param learned What {@link learned} was when the read began. A reply that an advance has overtaken tells of no loss.
   */
  see(text: string | null, learned = this.#learned): void {
    const seen = parsePosition(text);
    const known = this.#position;
    const isBehind = known !== null && (seen?.database !== known.database || seen.seq < known.seq);
    const isLess = isBehind || (seen === null && this.#state === "compared");
    if (isLess && learned !== this.#learned) return;
    if (isLess) this.doubt();
    if (seen && known && known.database === this.#own && seen.database !== this.#own) this.#noteOther(seen);
    if (text !== this.#text) this.#learned += 1;
    this.#position = seen;
    this.#text = text;
    this.#seenAt = this.#platform.now();
  }

  /** A new database in the place of this one has the same effect, until this isolate is gone. */
  #noteOther({ comparedAt }: Position): void {
    // A snapshot of Redis from before this database took the place of another has an old one.
    if (!this.#within(comparedAt, COMPARED_MS)) return;
    if (!this.shared) this.#events.emit("session.database_shared", {});
    this.#sharedAt = this.#platform.now();
  }

  /** Whether the position was read in the last `ms` milliseconds. */
  seenWithin(ms: number): boolean {
    return this.#within(this.#seenAt, ms);
  }

  /** The position was written since it was read. */
  forgetSeen(): void {
    this.#seenAt = Number.NEGATIVE_INFINITY;
  }

  /** The position that was seen last, null for none, and the text that was. */
  get seen(): { position: Position | null; text: string } {
    return { position: this.#position, text: this.#text ?? "" };
  }

  /** Notes that Redis has the whole journal. @param doubts What {@link doubts} was before it was read. */
  compared(position: Position, doubts: number): void {
    if (doubts !== this.#doubts) return;
    this.#learned += 1;
    this.#own = position.database;
    this.#position = position;
    this.#comparedAt = position.comparedAt;
    this.#state = "compared";
  }

  /** Whether Redis' word on a session suffices. */
  get sure(): boolean {
    if (this.#state !== "compared") return false;
    // Whoever has told of a comparison in the future has another clock: that one does not hide this isolate's own.
    const { comparedAt = Number.NEGATIVE_INFINITY } = this.#position ?? {};
    return this.#within(this.#comparedAt, COMPARED_MS) || this.#within(comparedAt, COMPARED_MS);
  }

  /** A clock that is set back makes nothing younger. */
  #within(at: number, ms: number): boolean {
    return Math.abs(this.#platform.now() - at) <= ms;
  }
}
