/** An isolate as its clients know it. */
interface KnownIsolate {
  /** When it lost Redis; null: it has it. */
  cutSince: number | null;
  /** It has answered a request since it lost Redis. */
  noticed: boolean;
  /** Its last time without Redis that it noticed. */
  noticedOutage: { from: number; to: number } | null;
  /** When it answered last; null: it is new. */
  servedAt: number | null;
}

/** A token that a client was given. */
export interface ModelSession {
  user: string;
  token: string;
  made: Told;
  usedAt: number;
  /** Its end, once that was answered; null: it lives. */
  end: Told | null;
}

/** What stores were told of. */
export interface Told {
  at: number;
  /** The database alone was told. */
  apart: boolean;
  /** When Redis lost it again; null: it has not. */
  lostAt: number | null;
}

/** An end made where Redis is lost holds at an isolate that has Redis within this time, ms. */
const BOUND_MS = 10_000;
/** At the latest, where no request came meanwhile, ms. */
const IDLE_BOUND_MS = 90_000;

/**
 * What clients may see of sessions, whatever stores them: a session lives from the answer to its creation until the answer to its
 * end, at every isolate. The exceptions: for a short time, an isolate that has not noticed an outage need not know of an end that the
 * database alone has, because an isolate without Redis has accepted it or because Redis has lost it, and need not list a session.
 */
export class SessionModel {
  readonly #now: () => number;
  readonly #isolates: KnownIsolate[];
  readonly sessions: ModelSession[] = [];

  constructor(isolates: number, now: () => number) {
    this.#now = now;
    this.#isolates = Array.from({ length: isolates }, newIsolate);
  }

  get living(): ModelSession[] {
    return this.sessions.filter(({ end }) => end === null);
  }

  get ended(): ModelSession[] {
    return this.sessions.filter(({ end }) => end !== null);
  }

  /** An isolate has answered, and the work after its response is done. */
  served(at: number): void {
    const isolate = this.#isolate(at);
    isolate.servedAt = this.#now();
    if (isolate.cutSince !== null) isolate.noticed = true;
  }

  lostRedis(at: number): void {
    this.#isolate(at).cutSince ??= this.#now();
  }

  foundRedis(at: number): void {
    const isolate = this.#isolate(at);
    if (isolate.cutSince === null) return;
    if (isolate.noticed) isolate.noticedOutage = { from: isolate.cutSince, to: this.#now() };
    isolate.cutSince = null;
    isolate.noticed = false;
  }

  lostIsolate(at: number): void {
    const { cutSince } = this.#isolate(at);
    this.#isolates[at] = { ...newIsolate(), cutSince };
  }

  isCut(at: number): boolean {
    return this.#isolate(at).cutSince !== null;
  }

  made(at: number, user: string, token: string): ModelSession {
    const session = { user, token, made: this.#told(at), usedAt: this.#now(), end: null };
    this.sessions.push(session);
    return session;
  }

  endedAt(at: number, sessions: readonly ModelSession[]): void {
    for (const session of sessions) session.end ??= this.#told(at);
  }

  /** Redis has lost what it was told since a time. Every isolate is without it at this moment. */
  lostWritesSince(time: number): void {
    const all = this.sessions.flatMap(({ made, end }) => (end ? [made, end] : [made]));
    for (const told of all) if (told.at > time) told.lostAt = this.#now();
  }

  /** Whether an isolate may still honour it. */
  mayHonour(at: number, { end }: ModelSession): boolean {
    return end === null || this.#mayNotKnow(at, end);
  }

  /** Whether it may be missing in an isolate's list of its user's sessions. */
  mayBeUnlisted(at: number, { made }: ModelSession): boolean {
    return this.#mayNotKnow(at, made);
  }

  #told(at: number): Told {
    return { at: this.#now(), apart: this.isCut(at), lostAt: null };
  }

  /** Whether an isolate need not know of it: the database alone has it. */
  #mayNotKnow(at: number, { at: toldAt, apart, lostAt }: Told): boolean {
    const { cutSince, noticedOutage: outage, servedAt } = this.#isolate(at);
    const noticed = (time: number) => outage !== null && time >= outage.from && time <= outage.to;
    if (cutSince !== null || (lostAt === null && !apart)) return false;
    if (noticed(lostAt ?? toldAt)) return false;
    // It has looked at the journal by then, after its response at the latest.
    if (servedAt !== null && servedAt >= toldAt + BOUND_MS) return false;
    return this.#now() <= toldAt + (servedAt === null ? BOUND_MS : IDLE_BOUND_MS);
  }

  #isolate(at: number): KnownIsolate {
    const isolate = this.#isolates[at];
    if (!isolate) throw new RangeError(`There is no isolate ${at}`);
    return isolate;
  }
}

function newIsolate(): KnownIsolate {
  return { cutSince: null, noticed: false, noticedOutage: null, servedAt: null };
}
