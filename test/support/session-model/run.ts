import { type ModelSession, SessionModel, type Told } from "./model.ts";
import { ISOLATES, type Operation } from "./operations.ts";
import { type Isolate, openWorld, type World } from "./world.ts";

/** A client saw something that the model excludes. */
class Violation extends Error {
  override readonly name = "Violation";
}

/** Runs operations, and compares what clients see with the model. @throws Violation. */
export async function runModel(database: D1Database, operations: readonly Operation[]): Promise<void> {
  const run = new ModelRun(openWorld(database));
  for (const operation of operations) {
    // No two answers in the same millisecond.
    run.pass(1);
    await run.apply(operation);
  }
  await run.finish();
}

class ModelRun {
  readonly #world: World;
  readonly #model: SessionModel;
  /** When the snapshot was taken. */
  #snapshotAt = Number.NEGATIVE_INFINITY;

  constructor(world: World) {
    this.#world = world;
    this.#model = new SessionModel(ISOLATES, () => world.platform.now());
  }

  pass(ms: number): void {
    this.#world.platform.advance(ms);
  }

  async apply(operation: Operation): Promise<void> {
    const { living, ended } = this.#model;
    switch (operation.kind) {
      case "create":
        return this.#create(operation.at, `user-${operation.user}`, pick(living, operation.replaces));
      case "use":
        return this.#withSession(living, operation, (session) => this.#use(operation.at, session));
      case "useEnded":
        return this.#withSession(ended, operation, (session) => this.#use(operation.at, session));
      case "rotate":
        return this.#withSession(living, operation, (session) => this.#rotate(operation.at, session));
      case "end":
        return this.#withSession(living, operation, (session) => this.#end(operation.at, session));
      case "endOthers":
        return this.#withSession(living, operation, (session) =>
          this.#endOf(operation.at, session.user, session),
        );
      case "endUser":
        return this.#endOf(operation.at, `user-${operation.user}`, null);
      case "endEveryone":
        return this.#endEveryone(operation.at);
      case "list":
        return this.#list(operation.at, `user-${operation.user}`);
      case "pass":
        return this.pass(operation.ms);
      default:
        return this.#disturb(operation);
    }
  }

  /** Redis is there, and after a while everything is as the model says, at each isolate and at a new one. */
  async finish(): Promise<void> {
    await this.#disturb({ kind: "findRedisEverywhere", back: "with its data" });
    for (let round = 0; round < 3; round += 1) {
      this.pass(40_000);
      for (let at = 0; at < ISOLATES; at += 1) await this.#serve(at, async () => {});
    }
    this.#world.replace(0);
    this.#model.lostIsolate(0);
    for (const at of [0, 1]) {
      for (const session of this.#model.sessions) await this.#use(at, session);
    }
    for (const user of new Set(this.#model.sessions.map((session) => session.user)))
      await this.#list(1, user);
    await this.#world.empty();
    await this.#world.clear();
  }

  async #disturb(operation: Operation): Promise<void> {
    const world = this.#world;
    const everywhere = Array.from({ length: ISOLATES }, (_, at) => at);
    if (operation.kind === "loseRedis") this.#lose(operation.at);
    if (operation.kind === "loseRedisEverywhere") for (const at of everywhere) this.#lose(at);
    if (operation.kind === "snapshot") {
      await world.snapshot();
      this.#snapshotAt = world.platform.now();
    }
    if (operation.kind === "findRedis") this.#find(operation.at);
    if (operation.kind === "loseIsolate") {
      world.replace(operation.at);
      this.#model.lostIsolate(operation.at);
      this.#compare(operation.at);
    }
    if (operation.kind === "findRedisEverywhere") {
      // A Redis that loses data was away from all of them.
      if (operation.back !== "with its data") for (const at of everywhere) this.#lose(at);
      if (operation.back === "empty") {
        await world.empty();
        this.#model.lostWritesSince(Number.NEGATIVE_INFINITY);
      }
      if (operation.back === "with a snapshot") {
        await world.restore();
        this.#model.lostWritesSince(this.#snapshotAt);
      }
      for (const at of everywhere) this.#find(at);
    }
  }

  #lose(at: number): void {
    this.#world.lose(at);
    this.#model.lostRedis(at);
  }

  #find(at: number): void {
    this.#world.find(at);
    this.#compare(at);
  }

  /** The model's isolate has Redis when the real one decides with it. */
  #compare(at: number): void {
    if (!this.#world.isCut(at)) this.#model.foundRedis(at);
  }

  async #serve<Reply>(at: number, work: (isolate: Isolate) => Promise<Reply>): Promise<Reply> {
    const reply = await this.#world.serve(at, work);
    this.#model.served(at);
    this.#compare(at);
    return reply;
  }

  async #withSession(
    sessions: readonly ModelSession[],
    { session }: { session: number },
    work: (session: ModelSession) => Promise<void>,
  ): Promise<void> {
    const picked = pick(sessions, session);
    if (picked) await work(picked);
  }

  async #create(at: number, user: string, replaced: ModelSession | null): Promise<void> {
    const [token, usable] = await this.#serve(at, async ({ sessions, present }) => {
      const before = replaced ? await present(replaced.token) : null;
      const claims = before?.kind === "active" ? before.claims : undefined;
      const made = await sessions.create({ userId: user, userData: { made: at } }, claims);
      return [made.token, made.durable] as const;
    });
    if (!usable) throw new Violation(`a session is in isolate ${at} only, although the database answers`);
    if (replaced) this.#model.endedAt(at, [replaced]);
    this.#model.made(at, user, token);
  }

  async #use(at: number, session: ModelSession): Promise<void> {
    const before = this.#describe(at, session);
    const verdict = await this.#serve(at, async ({ present }) => {
      const seen = await present(session.token);
      await seen.settle();
      return seen;
    });
    if (session.end === null && verdict.kind !== "active")
      throw new Violation(`a session that lives is ${verdict.kind}: ${before}`);
    if (verdict.kind !== "active") {
      if (verdict.kind === "unknown") throw new Violation(`nobody knows whether it lives: ${before}`);
      return;
    }
    if (session.end !== null && !before.startsWith("may"))
      throw new Violation(`honoured after its end: ${before}`);
    if (verdict.record.user_id !== session.user) throw new Violation(`it is another's: ${before}`);
    if (session.end === null && verdict.renewed !== null) session.token = verdict.renewed;
    session.usedAt = this.#world.platform.now();
  }

  async #rotate(at: number, session: ModelSession): Promise<void> {
    const before = this.#describe(at, session);
    const token = await this.#serve(at, async ({ sessions, present }) => {
      const active = await present(session.token);
      if (active.kind !== "active") throw new Violation(`a session that lives is ${active.kind}: ${before}`);
      return (await sessions.rotate(active))?.token ?? null;
    });
    if (token === null) throw new Violation(`a session that lives was not rotated: ${before}`);
    this.#model.endedAt(at, [session]);
    this.#model.made(at, session.user, token);
  }

  async #end(at: number, session: ModelSession): Promise<void> {
    const before = this.#describe(at, session);
    const ended = await this.#serve(at, async ({ sessions, present }) => {
      const active = await present(session.token);
      if (active.kind !== "active") throw new Violation(`a session that lives is ${active.kind}: ${before}`);
      return sessions.service.revoke(active.claims.id, active.claims.userId);
    });
    if (ended !== "done") throw new Violation(`its end is ${ended}: ${before}`);
    this.#model.endedAt(at, [session]);
  }

  async #endOf(at: number, user: string, except: ModelSession | null): Promise<void> {
    const living = this.#model.living.filter((session) => session.user === user && session !== except);
    const { ended } = await this.#serve(at, async ({ sessions, present }) => {
      const own = except ? await present(except.token) : null;
      const exceptId = own && "claims" in own ? own.claims.id : null;
      if (except && exceptId === null)
        throw new Violation(`a session that lives is ${own?.kind}: ${this.#describe(at, except)}`);
      return sessions.service.revokeAllOf(user, exceptId);
    });
    if (ended !== "done") throw new Violation(`the end of ${user} is ${ended} at ${at}`);
    this.#model.endedAt(at, living);
  }

  async #endEveryone(at: number): Promise<void> {
    const ended = await this.#serve(at, ({ sessions }) => sessions.service.revokeEveryone());
    if (ended !== "done") throw new Violation(`the end of everyone is ${ended} at ${at}`);
    this.#model.endedAt(at, this.#model.living);
  }

  async #list(at: number, user: string): Promise<void> {
    const model = this.#model;
    const own = model.sessions.filter((session) => session.user === user);
    const required = own.filter((each) => each.end === null && !model.mayBeUnlisted(at, each)).map(idOf);
    const allowed = own.filter((each) => model.mayHonour(at, each)).map(idOf);
    const isCut = model.isCut(at);
    const asking = own.find(({ end }) => end === null);
    const { records, complete } = await this.#serve(at, async ({ sessions, present }) => {
      // Its user asks, as long as there is a session to ask with.
      if (asking) await present(asking.token);
      return sessions.service.list(user);
    });
    const listed = records.map(({ record }) => record.session_id);
    if (new Set(listed).size !== listed.length) throw new Violation(`${user} has a session twice at ${at}`);
    const revived = listed.filter((id) => !allowed.includes(id));
    if (revived.length > 0) throw new Violation(`${user} has ended sessions at ${at}: ${revived}`);
    const missing = required.filter((id) => !listed.includes(id));
    if (!complete && !isCut) throw new Violation(`the list of ${user} is not complete at ${at}`);
    if (missing.length > 0) throw new Violation(`${user} has not all sessions at ${at}: ${missing}`);
  }

  #describe(at: number, session: ModelSession): string {
    const now = this.#world.platform.now();
    const where = ({ at: time, apart, lostAt }: Told) =>
      `${now - time} ms ago in ${apart ? "the database alone" : "both"}${lostAt === null ? "" : `, lost ${now - lostAt} ms ago`}`;
    const { made, end } = session;
    const may = this.#model.mayHonour(at, session) ? "may be honoured" : "must be refused";
    const over = end ? `; ended ${where(end)}` : "";
    return `${may} at ${at} (${this.#model.isCut(at) ? "without" : "with"} Redis), made ${where(made)}${over}`;
  }
}

function pick<Item>(items: readonly Item[], number: number | null): Item | null {
  return number === null || items.length === 0 ? null : (items[number % items.length] ?? null);
}

function idOf({ token }: ModelSession): string {
  const payload = atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
  return (JSON.parse(payload) as { i: string }).i;
}
