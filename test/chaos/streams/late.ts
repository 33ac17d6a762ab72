import { pause } from "../proxy.ts";
import { LIMIT, type World } from "../world.ts";
import { ask } from "./stream.ts";

/** What became of calls that requests had given up and that were answered later. */
export interface LateCounts {
  /** Requests whose limits were decided without the store's answer. */
  givenUp: number;
  /** Units that callers below their limit have used, and what Redis counts for them in the end. */
  used: number;
  charged: number;
  /** Callers over their limit of whom the isolate learned too late to deny their first request, and who were denied then. */
  deniedLate: number;
  deniedNext: number;
  /** Of these, denied by the isolate without a call. */
  deniedAlone: number;
  /** Sessions made, and users who have another number of them than one. */
  made: number;
  notOne: number;
  /** Sessions ended, and those that were honoured afterwards. */
  ended: number;
  honoured: number;
  /** Sessions and endings that were written once more. */
  queuedAgain: number;
}

const PATHS = ["/limited/log", "/limited/window", "/limited/pair"];
const CALLERS = 6;
const USED = 2;
const SESSIONS = 4;
/** ms, after a restart: calls may take longer at first. Also longer than any call takes. */
const CEILING_MS = 1500;

interface Caller {
  path: string;
  address: string;
}

const callers = (net: number): Caller[] =>
  Array.from({ length: CALLERS }, (_, index) => ({
    path: PATHS[index % PATHS.length] ?? "/limited/log",
    address: `100.${net}.7.${index}`,
  }));

const BELOW = callers(96);
const FULL = callers(97);

/**
 * What only a store shows that answers after the deadline: each effect of a call that a request has given up happens once,
 * and what its reply says is learned.
 */
export class LateReplies {
  readonly #world: World;
  readonly #run: string;
  readonly #requestIds = new Set<string | null>();
  readonly #counts: LateCounts = {
    givenUp: 0,
    used: 0,
    charged: 0,
    deniedLate: 0,
    deniedNext: 0,
    deniedAlone: 0,
    made: 0,
    notOne: 0,
    ended: 0,
    honoured: 0,
    queuedAgain: 0,
  };
  #users: { user: string; token: string }[] = [];
  #ended: string[] = [];
  #logFrom = 0;

  constructor(world: World, run: string) {
    this.#world = world;
    this.#run = run;
  }

  /** Uses up limits, which only Redis knows then: the isolate is a new one. */
  async prepare(): Promise<void> {
    await Promise.all(FULL.map((caller) => this.#useUp(caller)));
    for (let index = 0; index < SESSIONS; index += 1) await this.#signIn(`early-${index}`);
    await pause(200);
    await this.#world.edge.restart();
    await this.ready();
    await pause(CEILING_MS);
  }

  /** Makes a call, so that the breaker is not half-open where a busy machine has opened it. */
  async ready(): Promise<void> {
    await this.#ask({ path: "/limited/log", address: "100.98.7.1" });
    this.#logFrom = this.#world.edge.log.length;
  }

  /** Sends all while calls are given up. Call it when the fault begins. */
  async during(): Promise<void> {
    const counts = this.#counts;
    const early = this.#users;
    // The first late reply makes the next requests wait longer: what is to be given up is sent at once.
    await Promise.all([
      ...BELOW.map((caller) => this.#use(caller)),
      ...FULL.map((caller) => this.#learnLate(caller)),
      ...early.slice(0, SESSIONS / 2).map(({ token }) => this.#end(token)),
      ...Array.from({ length: SESSIONS }, (_, index) => this.#signIn(`late-${index}`)),
    ]);
    counts.made = this.#users.length;
    this.#users = this.#users.filter(({ token }) => !this.#ended.includes(token));
  }

  /** Looks at what there is, in a new isolate. */
  async finish(): Promise<LateCounts> {
    const counts = this.#counts;
    const lines = this.#world.edge.log.slice(this.#logFrom);
    for (const { event, request_id, limits, store_calls } of lines) {
      const id = String(request_id);
      if (event !== "request" || !this.#requestIds.has(id)) continue;
      if (/ by memory$/.test(String(limits))) counts.givenUp += 1;
      if (limits === "denied by isolate" && store_calls === 0) counts.deniedAlone += 1;
    }
    for (const { event, created, ended } of lines)
      if (event === "session.replayed") counts.queuedAgain += Number(created) + Number(ended);
    for (const caller of BELOW) {
      const { status, headers } = await this.#ask(caller);
      // This request is charged too.
      counts.charged += status === 200 ? LIMIT - Number(headers.get("x-ratelimit-remaining")) - 1 : LIMIT;
    }
    for (const token of this.#ended) if ((await this.#visit(token)) === 200) counts.honoured += 1;
    for (const { user } of this.#users) if ((await this.#sessionsOf(user)) !== 1) counts.notOne += 1;
    return counts;
  }

  async #useUp(caller: Caller): Promise<void> {
    for (let unit = 0; unit < LIMIT; unit += 1) await this.#ask(caller);
  }

  async #use(caller: Caller): Promise<void> {
    const replies = await Promise.all(Array.from({ length: USED }, () => this.#ask(caller)));
    this.#counts.used += replies.filter(({ status }) => status === 200).length;
  }

  async #learnLate(caller: Caller): Promise<void> {
    const { status } = await this.#ask(caller);
    // On a busy machine its request may have waited for the answer.
    if (status === 429) return;
    this.#counts.deniedLate += 1;
    await pause(CEILING_MS);
    if ((await this.#ask(caller)).status === 429) this.#counts.deniedNext += 1;
  }

  async #signIn(name: string): Promise<void> {
    const user = `${this.#run}-${name}`;
    const { status, body } = await ask(this.#world, null, "/auth/sessions", {
      method: "POST",
      headers: { authorization: `Bearer ${this.#world.secrets.service}`, "content-type": "application/json" },
      body: JSON.stringify({ user_id: user }),
    });
    if (status === 201) this.#users.push({ user, token: (JSON.parse(body) as { token: string }).token });
  }

  async #end(token: string): Promise<void> {
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await ask(this.#world, null, "/auth/sessions/current", { method: "DELETE", headers });
    if (status !== 200 && status !== 202) return;
    this.#ended.push(token);
    this.#counts.ended += 1;
  }

  async #visit(token: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` };
    return (await ask(this.#world, null, "/user/profile", { headers })).status;
  }

  async #sessionsOf(user: string): Promise<number> {
    const { body } = await ask(this.#world, null, `/auth/sessions/users/${user}`, {
      headers: { authorization: `Bearer ${this.#world.secrets.service}` },
    });
    return ((JSON.parse(body) as { sessions?: unknown[] }).sessions ?? []).length;
  }

  async #ask({ path, address }: Caller) {
    const reply = await ask(this.#world, null, path, { address });
    this.#requestIds.add(reply.headers.get("x-request-id"));
    return reply;
  }
}

/** What is wrong with the counts; empty: nothing. */
export function lateMisses(counts: LateCounts): string[] {
  const misses: string[] = [];
  const miss = (wrong: boolean, what: string) => {
    if (wrong) misses.push(what);
  };
  miss(counts.givenUp === 0, "no call was given up");
  miss(counts.charged !== counts.used, `${counts.charged} units are charged for ${counts.used}`);
  miss(counts.deniedLate === 0, "no denial was learned late");
  miss(
    counts.deniedNext < counts.deniedLate,
    `${counts.deniedNext} of ${counts.deniedLate} late denials hold`,
  );
  miss(
    counts.deniedAlone < counts.deniedLate,
    `${counts.deniedAlone} of ${counts.deniedLate} late denials need no call`,
  );
  miss(counts.made === 0 || counts.ended === 0, "no session was made, or none was ended");
  miss(counts.notOne > 0, `${counts.notOne} users have another number of sessions than one`);
  miss(counts.honoured > 0, `${counts.honoured} ended sessions are honoured`);
  miss(counts.queuedAgain > 0, `${counts.queuedAgain} sessions or endings were written again`);
  return misses;
}

/** The section of RESULTS.md. */
export function lateReport(name: string, counts: LateCounts): string[] {
  const { givenUp, used, charged, deniedLate, deniedNext, deniedAlone, ...sessions } = counts;
  const { made, notOne, ended, honoured, queuedAgain } = sessions;
  return [
    `### ${name}: what was given up and answered later`,
    "",
    `- Limits of ${givenUp} requests were decided before the store answered. ${used} units were used by callers below their`,
    `  limit, and Redis counts ${charged}.`,
    `- ${deniedLate} callers over their limit passed once, before the store's denial was known. Their next request, a second`,
    `  later, was denied to ${deniedNext}, to ${deniedAlone} of them without a call.`,
    `- Of ${made} sessions ${notOne} are missing or there twice; of ${ended} that were ended ${honoured} are honoured. ${queuedAgain} were`,
    "  written again.",
    "",
  ];
}
