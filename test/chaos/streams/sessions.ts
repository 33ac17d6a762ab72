import { type CapabilityName, type Cell, mark, type Phase } from "../cells.ts";
import { answerTo } from "../origin.ts";
import { ask, type Stream, type StreamOptions } from "./stream.ts";

interface KnownSession {
  user: string;
  token: string;
  /** Created before the fault ended and held by Redis alone. If Redis loses its data, its end is no violation. */
  onlyInRedis: boolean;
  /** It is ended, or its ending is requested. */
  ending: boolean;
  /** How it was created, for the description of a violation. */
  how: string;
}

export interface SessionsStreamOptions extends StreamOptions {
  losesData: boolean;
}

const POOL = 12;
/** How many lists are checked for duplicate sessions. */
const LISTED = 12;

/** Users who return, sign in, sign out, rotate, end their other sessions, and retry with ended sessions. */
export class SessionsStream implements Stream {
  readonly capability: CapabilityName = "sessions";
  readonly #options: SessionsStreamOptions;
  #live: KnownSession[] = [];
  readonly #ended: KnownSession[] = [];
  #made = 0;
  /** Sessions that ended because Redis, their only holder, lost its data. */
  excused = 0;

  constructor(options: SessionsStreamOptions) {
    this.#options = options;
  }

  async prepare(): Promise<void> {
    for (let index = 0; index < POOL; index += 1) await this.#create("before", null);
  }

  requests(phase: Phase): (() => Promise<void>)[] {
    const { dice, cells, requests } = this.#options;
    const cell = cells.sessions[phase];
    return Array.from({ length: requests[phase] }, () => async () => {
      const what = dice.roll();
      if (what < 0.15) return this.#create(phase, cell);
      if (what < 0.22 && this.#live.length > POOL / 2) return this.#end(cell);
      if (what < 0.26 && this.#live.length > POOL / 2) return this.#rotate(phase, cell);
      if (what < 0.29) return this.#endOthers(phase, cell);
      if (what < 0.37 && this.#ended.length > 0) return this.#useEnded(dice.pick(this.#ended), cell);
      return this.#use(dice.pick(this.#live), phase, cell);
    });
  }

  async finish(): Promise<void> {
    const { cells, world } = this.#options;
    const cell = cells.sessions.after;
    for (const session of this.#live) await this.#use(session, "after", cell, true);
    for (const session of this.#ended) await this.#useEnded(session, cell, true);
    for (const { user } of this.#live.slice(-LISTED)) {
      const { status, body } = await ask(world, null, `/auth/sessions/users/${user}`, {
        headers: { authorization: `Bearer ${world.secrets.service}` },
      });
      if (status !== 200) continue;
      const { sessions } = JSON.parse(body) as { sessions: unknown[] };
      mark(cell, "double", `${user} has ${sessions.length} sessions`, sessions.length - 1);
    }
  }

  async #create(phase: Phase, cell: Cell | null): Promise<void> {
    this.#made += 1;
    const session = await this.#signIn(`${this.#options.run}-${this.#made}`, phase, cell);
    if (session) this.#live.push(session);
  }

  async #signIn(user: string, phase: Phase, cell: Cell | null): Promise<KnownSession | null> {
    const { world } = this.#options;
    const { status, body } = await ask(world, cell, "/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${world.secrets.service}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: user }),
    });
    return status === 201 ? this.#session(user, tokenIn(body), phase) : null;
  }

  #session(user: string, token: string, phase: Phase): KnownSession {
    const onlyInRedis = phase !== "after" && !isOffline(token);
    return { user, token, onlyInRedis, ending: false, how: "signed in" };
  }

  async #use(session: KnownSession, phase: Phase, cell: Cell, last = false): Promise<void> {
    const { user } = session;
    const reply = await this.#visit(session, last ? null : cell);
    if (session.ending) return;
    session.token = reply.headers.get("x-session-token") ?? session.token;
    const expected = answerTo({ method: "GET", url: "/user/profile", user });
    if (reply.status === 200) {
      if (reply.body !== expected) mark(cell, "wrong", `${user} was given another body`);
      return;
    }
    if (this.#options.losesData && session.onlyInRedis && phase === "after" && reply.status === 401) {
      this.excused += 1;
      session.ending = true;
      this.#live = this.#live.filter((each) => each !== session);
      return;
    }
    const when = last ? "in a new isolate" : phase;
    mark(
      cell,
      "lost",
      `${session.how}, ${session.onlyInRedis ? "made while Redis was there" : "made later"}, ${reply.status} ${when}`,
    );
  }

  async #end(cell: Cell): Promise<void> {
    const session = this.#take();
    const { status } = await this.#as(session, cell, "DELETE", "/auth/sessions/current");
    if (status === 200 || status === 202) this.#ended.push(session);
    else this.#refused(session, status, "signing out of", cell);
  }

  /** Rotates: a new id replaces the old one, which is over from then on. */
  async #rotate(phase: Phase, cell: Cell): Promise<void> {
    const session = this.#take();
    // A session known by its signature alone is not rotated and stays valid: 503 is the documented answer.
    const { status, body } = await this.#as(session, cell, "POST", "/auth/sessions/rotate", { closed: true });
    if (status !== 200) return this.#refused(session, status, "rotating", cell);
    this.#ended.push(session);
    this.#live.push({ ...this.#session(session.user, tokenIn(body), phase), how: `${session.how}, rotated` });
  }

  /** A user with two sessions ends the other one with the first. Only the other one is over. */
  async #endOthers(phase: Phase, cell: Cell): Promise<void> {
    this.#made += 1;
    const user = `${this.#options.run}-${this.#made}`;
    const other = await this.#signIn(user, phase, cell);
    const own = await this.#signIn(user, phase, cell);
    if (!own || !other) return;
    const { status } = await this.#as(own, cell, "DELETE", "/auth/sessions");
    if (status !== 200 && status !== 202) return this.#refused(own, status, "ending the others of", cell);
    this.#ended.push({ ...other, how: "ended by another" });
    this.#live.push({ ...own, how: "kept of two" });
  }

  /** A session that no other request uses meanwhile. */
  #take(): KnownSession {
    const session = this.#options.dice.pick(this.#live);
    session.ending = true;
    this.#live = this.#live.filter((each) => each !== session);
    return session;
  }

  /** The change failed: a valid session was refused, or the session stays valid. */
  #refused(session: KnownSession, status: number, doing: string, cell: Cell): void {
    const excused = this.#options.losesData && session.onlyInRedis;
    if (status === 401 && !excused) mark(cell, "lost", `${doing} a session that lives: ${status}`);
    else if (status >= 500) this.#live.push({ ...session, ending: false });
  }

  #as({ token }: KnownSession, cell: Cell, method: string, path: string, more = {}) {
    const headers = { authorization: `Bearer ${token}` };
    return ask(this.#options.world, cell, path, { method, headers, ...more });
  }

  async #useEnded(session: KnownSession, cell: Cell, last = false): Promise<void> {
    const { status } = await this.#visit(session, last ? null : cell);
    if (status === 200)
      mark(cell, "wrong", `an ended session (${session.how}) was honoured${last ? " in a new isolate" : ""}`);
  }

  #visit({ token }: KnownSession, cell: Cell | null) {
    return ask(this.#options.world, cell, "/user/profile", { headers: { authorization: `Bearer ${token}` } });
  }
}

function tokenIn(body: string): string {
  return (JSON.parse(body) as { token: string }).token;
}

/** Its token says that it was created during an outage. */
function isOffline(token: string): boolean {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return "o" in (JSON.parse(payload) as object);
}
