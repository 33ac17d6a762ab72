import { type CapabilityName, type Cell, mark, type Phase } from "../cells.ts";
import { answerTo } from "../origin.ts";
import { ask, type Stream, type StreamOptions } from "./stream.ts";

interface KnownSession {
  user: string;
  token: string;
  /** Made before the fault was over, and kept by Redis alone: where that loses its data, nobody broke a promise. */
  onlyInRedis: boolean;
  /** Its end is under way or done. */
  ending: boolean;
}

export interface SessionsStreamOptions extends StreamOptions {
  losesData: boolean;
}

const POOL = 12;
/** Lists that are looked at for a session that stands there twice. */
const LISTED = 12;

/** Users who come back, sign in, sign out, and try again with what they have signed out of. */
export class SessionsStream implements Stream {
  readonly capability: CapabilityName = "sessions";
  readonly #options: SessionsStreamOptions;
  #live: KnownSession[] = [];
  readonly #ended: KnownSession[] = [];
  #made = 0;
  /** Sessions that were only in a Redis that has lost its data. */
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
      if (what < 0.3 && this.#ended.length > 0) return this.#useEnded(dice.pick(this.#ended), cell);
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
    const { world, run } = this.#options;
    this.#made += 1;
    const user = `${run}-${this.#made}`;
    const { status, body } = await ask(world, cell, "/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${world.secrets.service}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: user }),
    });
    if (status !== 201) return;
    const { token } = JSON.parse(body) as { token: string };
    this.#live.push({ user, token, onlyInRedis: phase !== "after" && !isOffline(token), ending: false });
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
      `${session.onlyInRedis ? "made while Redis was there" : "made later"}, ${reply.status} ${when}`,
    );
  }

  async #end(cell: Cell): Promise<void> {
    const { dice, world } = this.#options;
    const session = dice.pick(this.#live);
    session.ending = true;
    this.#live = this.#live.filter((each) => each !== session);
    const { status } = await ask(world, cell, "/auth/sessions/current", {
      method: "DELETE",
      headers: { authorization: `Bearer ${session.token}` },
    });
    if (status === 200 || status === 202) this.#ended.push(session);
    else if (status === 401 && !(this.#options.losesData && session.onlyInRedis))
      mark(cell, "lost", `signing out of a session that lives: ${status}`);
    else if (status >= 500) this.#live.push({ ...session, ending: false });
  }

  async #useEnded(session: KnownSession, cell: Cell, last = false): Promise<void> {
    const { status } = await this.#visit(session, last ? null : cell);
    if (status === 200)
      mark(cell, "wrong", `an ended session was honoured${last ? " in a new isolate" : ""}`);
  }

  #visit({ token }: KnownSession, cell: Cell | null) {
    return ask(this.#options.world, cell, "/user/profile", { headers: { authorization: `Bearer ${token}` } });
  }
}

/** Its token says that it was made while the store was lost. */
function isOffline(token: string): boolean {
  const payload = Buffer.from(token.split(".")[1] ?? "", "base64url").toString();
  return "o" in (JSON.parse(payload) as object);
}
