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
  /** When it was made, and whether in the database alone. */
  madeAt: number;
  madeApart: boolean;
  usedAt: number;
  /** When its end was answered, and whether the database alone was told; null: it lives. */
  end: { at: number; apart: boolean } | null;
}

/** An end made where Redis is lost holds at an isolate that has Redis within this time, ms. */
const BOUND_MS = 10_000;
/** At the latest, where no request came meanwhile, ms. */
const IDLE_BOUND_MS = 90_000;

/**
 * What clients may see of sessions, whatever stores them: a session lives from the answer to its creation until the answer to its
 * end, at every isolate. The one exception: what an isolate without Redis has accepted may be unknown for a short time to
 * one that has not noticed an outage.
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
    const now = this.#now();
    const session = { user, token, madeAt: now, madeApart: this.isCut(at), usedAt: now, end: null };
    this.sessions.push(session);
    return session;
  }

  endedAt(at: number, sessions: readonly ModelSession[]): void {
    for (const session of sessions) session.end ??= { at: this.#now(), apart: this.isCut(at) };
  }

  /** Whether an isolate may still honour it. */
  mayHonour(at: number, { end }: ModelSession): boolean {
    return end === null || (end.apart && this.#mayNotKnow(at, end.at));
  }

  /** Whether it may be missing in an isolate's list of its user's sessions. */
  mayBeUnlisted(at: number, { madeAt, madeApart }: ModelSession): boolean {
    return madeApart && this.#mayNotKnow(at, madeAt);
  }

  /** Whether an isolate need not know what the database alone was told at a time. */
  #mayNotKnow(at: number, toldAt: number): boolean {
    const { cutSince, noticedOutage, servedAt } = this.#isolate(at);
    const now = this.#now();
    if (cutSince !== null) return false;
    if (noticedOutage && toldAt >= noticedOutage.from && toldAt <= noticedOutage.to) return false;
    // It has looked at the journal by then, after its response at the latest.
    if (servedAt !== null && servedAt >= toldAt + BOUND_MS) return false;
    return now <= toldAt + (servedAt === null ? BOUND_MS : IDLE_BOUND_MS);
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
