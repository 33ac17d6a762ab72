/** The bearer session of a page: the newest token, whatever order the answers arrive in. */
export class BearerSession {
  readonly #changed: (token: string | null) => void;
  #token: string | null;
  /** Counts sign-ins, rotations and sign-outs. */
  #generation = 0;

  constructor(token: string | null | undefined, changed: (token: string | null) => void) {
    this.#token = tokenIn(token);
    this.#changed = changed;
  }

  get token(): string | null {
    return this.#token;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Another session, or none. */
  set(given: string | null): void {
    const token = tokenIn(given);
    if (token === this.#token) return;
    this.#generation += 1;
    this.#token = token;
    this.#changed(token);
  }

  /**
   * Takes the token of an answer. A renewal of the session counts where it is newer; another session only where none has begun or
   * ended since the request was sent: the answer to an older request must not bring an old session back.
   *
   * @param sentIn The generation in which the request was sent.
   */
  received(token: string, sentIn: number): void {
    const mine = claims(this.#token);
    const theirs = claims(token);
    if (mine !== null && mine.i === theirs?.i) {
      if ((theirs?.c ?? 0) < (mine.c ?? 0) || token === this.#token) return;
      this.#token = token;
      this.#changed(token);
    } else if (sentIn === this.#generation) this.set(token);
  }
}

/** What storage and cookies have where there is none is none: `localStorage` makes a text of null. */
function tokenIn(given: string | null | undefined): string | null {
  return /^(null|undefined)?$/.test(given ?? "") ? null : (given as string);
}

/** The session's id and when it was confirmed, as the token states them. Null for anything else. */
function claims(token: string | null): { i?: string; c?: number } | null {
  try {
    const body = token?.split(".")[1]?.replaceAll("-", "+").replaceAll("_", "/");
    const parsed: unknown = JSON.parse(atob(body ?? ""));
    return typeof parsed === "object" ? parsed : null;
  } catch {
    return null;
  }
}
