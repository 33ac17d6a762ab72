import { dice } from "../../support/dice.ts";
import { pause } from "../proxy.ts";
import { uncaughtErrors } from "../uncaught.ts";
import { type Client, Clients, idOf, type Sighting } from "./clients.ts";
import { missesOf } from "./misses.ts";
import { AFTERWARDS_MS, type Outage, outages } from "./outages.ts";
import { type DatabaseWorld, type Isolate, liftDatabase, openDatabaseWorld } from "./world.ts";

export interface DatabaseOptions {
  /** Names of outages. Default all. */
  only?: readonly string[];
  /** Sessions made before an outage, and as many during it; one in five is ended. Default 500. */
  sessions?: number;
  /** Called with a line when a row begins and when it is done. */
  progress?(line: string): void;
}

/** What clients saw of one outage. */
export interface DatabaseResult {
  outage: Outage;
  withDatabase: boolean;
  /** Sessions made during the outage, and those of them that were kept: their tokens do not carry them. */
  made: number;
  kept: number;
  /** Ends during the outage, and those that were answered with 200. */
  ended: number;
  answered200: number;
  /** Ends that were answered with 200 and are not in the database. */
  untold: number;
  /** Ends that were not answered with 200, although no call to the database was late meanwhile. */
  unanswered: number;
  /** Sessions that live and were refused: of those that the database had, and of the others. */
  lost: { told: number; others: number };
  /**
   * Sessions that were honoured after their end: where the database had the end; the others; those within the bound of a partial
   * outage; and those where neither Redis nor the database answered, so that nobody could know.
   */
  honoured: { told: number; others: number; withinBound: number; unknowable: number };
  /** Calls to the database that were later than the deadline, without a fault. */
  late: number;
  /** Users who are listed with more than their one session. */
  doubled: number;
  /** From the return of Redis until both isolates say that sessions are in it, ms; null: not within a minute. */
  recoveredMs: number | null;
  errors: Record<string, number>;
  /** Violations; empty: the outage passed. */
  misses: string[];
}

/** An end made where Redis is lost holds on every other isolate within this time, ms. */
const BOUND_MS = 10_000;
const MAX_SEARCH_MS = 60_000;
const LISTED = 50;

/** Runs each outage with a database, and those that are compared also without one. */
export async function runDatabase(options: DatabaseOptions = {}): Promise<DatabaseResult[]> {
  const { only, progress = () => {} } = options;
  const chosen = outages.filter(({ name }) => !only || only.includes(name));
  const results: DatabaseResult[] = [];
  const rows = chosen.flatMap((outage) =>
    (outage.compared ? [true, false] : [true]).map((withDatabase) => ({ outage, withDatabase })),
  );
  for (const [index, { outage, withDatabase }] of rows.entries()) {
    const startedAt = Date.now();
    progress(
      `${index + 1} of ${rows.length}: ${outage.name}, ${withDatabase ? "with" : "without"} a database`,
    );
    const world = await openDatabaseWorld(withDatabase, outage.deadlineMs);
    try {
      const result = await runOutage(world, outage, options.sessions ?? 500);
      results.push(result);
      progress(`  ${Math.round((Date.now() - startedAt) / 1000)} s: ${summary(result)}`);
    } finally {
      await world.stop();
    }
  }
  return results;
}

/** The clients of a run, and what was seen of them. */
interface Seen {
  living: Client[];
  ended: Client[];
  lost: Set<Client>;
  /** Whether the database was late for one is known once its late reply is here. */
  honoured: Sighting[];
  withinBound: Set<Client>;
  unknowable: Set<Client>;
  /** When both isolates had found Redis again. */
  foundAt: number;
}

async function runOutage(world: DatabaseWorld, outage: Outage, count: number): Promise<DatabaseResult> {
  const clients = new Clients(world);
  const { restore, before, endedBefore } = await fill(world, clients, count);
  await loseRedis(world, outage, clients, before);
  const during = await clients.make("during", count);
  const toEnd = Math.round(count * 0.2);
  const ended = [...before.splice(0, toEnd), ...during.splice(0, toEnd)];
  const [first] = world.isolates;
  const all = [...before, ...during, ...ended, ...endedBefore];
  await readNames(world, all);
  await clients.end(ended, first);
  const endedAt = Date.now();
  await askDatabase(world, all);
  // The isolate takes with it what it alone knows.
  await first.edge.restart();
  const seen: Seen = {
    living: [...before, ...during],
    ended: [...ended, ...endedBefore],
    lost: new Set(),
    honoured: [],
    withinBound: new Set(),
    unknowable: new Set(),
    foundAt: Number.POSITIVE_INFINITY,
  };
  await visitDuring(world, outage, clients, { seen, endedAt });
  const recoveredMs = await returnRedis(world, outage, clients, { seen, restore });
  await visitAll(world, clients, seen, 0);
  for (const { edge } of world.isolates) await edge.restart();
  await visitAll(world, clients, seen, 1);
  const lists = await clients.listed(sample(seen.living, LISTED), world.isolates[1]);
  const revived = new Set<Client>();
  // Redis was lost and the database too late: neither had answered.
  for (const each of seen.honoured)
    add(each.from < seen.foundAt && wasLate(each, each.at) ? seen.unknowable : revived, [each]);
  const facts = {
    outage,
    withDatabase: world.database !== null,
    made: during.length + toEnd,
    kept: [...during, ...ended].filter(({ made, kept }) => made === "during" && kept).length,
    ended: ended.length,
    answered200: ended.filter(isAnswered).length,
    untold: ended.filter((client) => isAnswered(client) && !client.told.end).length,
    unanswered: ended.filter((client) => !isAnswered(client) && !wasLate(client.ended, first)).length,
    lost: split(seen.lost, ({ told }) => told.session),
    honoured: {
      ...split(revived, ({ told }) => told.end),
      withinBound: seen.withinBound.size,
      unknowable: seen.unknowable.size,
    },
    late: world.isolates.reduce((sum, { late }) => sum + late.length, 0),
    doubled: lists.filter((length) => length > 1).length,
    recoveredMs,
    errors: Object.fromEntries(clients.errors),
  };
  const printed = world.isolates.flatMap(({ edge }) => edge.printed);
  return { ...facts, misses: missesOf(facts, uncaughtErrors(printed).length) };
}

const isAnswered = ({ ended }: Client) => ended?.status === 200;

/** Whether a call of the isolate to the database was late while it was asked for something. */
function wasLate(asked: Pick<Sighting, "from" | "to"> | null, { late }: Isolate): boolean {
  return asked !== null && late.some(({ from, to }) => from <= asked.to && to >= asked.from);
}

/** Notes the names that the database has for users: an end of all their sessions is a mark of that name. */
async function readNames({ database }: DatabaseWorld, clients: readonly Client[]): Promise<void> {
  const rows = await database?.query<{ id: string; user: string }>("SELECT id, user FROM session_records");
  const names = new Map(rows?.map(({ id, user }) => [id, user]));
  for (const client of clients) client.name = names.get(idOf(client.token)) ?? null;
}

/** Notes what the database has of sessions and of their ends. */
async function askDatabase({ database }: DatabaseWorld, clients: readonly Client[]): Promise<void> {
  if (!database) return;
  const column = async (name: string, table: string) =>
    new Set((await database.query<{ it: string }>(`SELECT ${name} AS it FROM ${table}`)).map(({ it }) => it));
  const records = await column("id", "session_records");
  const tombstones = await column("id", "session_tombstones");
  const marks = await column("name", "session_marks");
  for (const client of clients) {
    const id = idOf(client.token);
    const end = tombstones.has(id) || (client.name !== null && marks.has(client.name));
    client.told = { session: records.has(id), end };
  }
}

/** Sessions from before the outage, some of them ended after half were made: an old snapshot has neither these ends nor the rest. */
async function fill(world: DatabaseWorld, clients: Clients, count: number) {
  const half = Math.round(count / 2);
  const before = await clients.make("before", half);
  const restore = await world.snapshot();
  const endedBefore = before.splice(0, Math.round(count * 0.1));
  await clients.end(endedBefore, world.isolates[0]);
  before.push(...(await clients.make("before", count - half)));
  // What is written after the responses is written by now.
  await pause(500);
  return { restore, before, endedBefore };
}

async function loseRedis(
  world: DatabaseWorld,
  outage: Outage,
  clients: Clients,
  before: readonly Client[],
): Promise<void> {
  const losing = outage.lost === "both" ? world.isolates : world.isolates.slice(0, 1);
  if (outage.lost === "both") await world.upstash.redis.stop();
  for (const isolate of losing) {
    await isolate.redis.close();
    if (outage.during) isolate.database?.treat(outage.during, dice(1));
    const until = Date.now() + MAX_SEARCH_MS;
    while ((await clients.storage(isolate)) === "redis" && Date.now() < until)
      await clients.visit(sample(before, 3), () => isolate, refused);
  }
}

/** Everybody makes a request during the outage: the ended ones at once, at both isolates. */
async function visitDuring(
  world: DatabaseWorld,
  { lost, during }: Outage,
  clients: Clients,
  { seen, endedAt }: { seen: Seen; endedAt: number },
): Promise<void> {
  const [first, second] = world.isolates;
  const visits = async (at: Isolate) => clients.visit(seen.ended, () => at, honoured);
  const note = (found: readonly Sighting[]) =>
    during ? add(seen.unknowable, found) : seen.honoured.push(...found);
  note(await visits(first));
  if (lost === "one") {
    while (Date.now() - endedAt < BOUND_MS) {
      add(seen.withinBound, await clients.visit(sample(seen.ended, 20), () => second, honoured));
      await pause(100);
    }
  }
  note(await visits(second));
  add(
    seen.lost,
    await clients.visit(seen.living, (index) => world.isolates[index % 2 === 0 ? 0 : 1], refused),
  );
}

/** Redis comes back. Ended sessions are tried from then on without a pause, until both isolates have found it. */
async function returnRedis(
  world: DatabaseWorld,
  outage: Outage,
  clients: Clients,
  { seen, restore }: { seen: Seen; restore(): Promise<void> },
): Promise<number | null> {
  const { redis } = world.upstash;
  if (outage.back === "with an old snapshot") await restore();
  else if (outage.lost === "both") await redis.start({ keepData: outage.back === "with its data" });
  for (const isolate of world.isolates) {
    if (outage.afterwards) isolate.database?.treat(outage.afterwards, dice(1));
    else liftDatabase(isolate);
    await isolate.redis.open();
    isolate.redis.lift();
  }
  const returnedAt = Date.now();
  let recoveredMs: number | null = null;
  // What neither answers is not known, until either is found again.
  let isUnknowable = (outage.during ?? outage.afterwards) !== undefined;
  while (Date.now() - returnedAt < MAX_SEARCH_MS) {
    for (const isolate of world.isolates) {
      const found = await clients.visit(sample(seen.ended, 50), () => isolate, honoured);
      if (isUnknowable) add(seen.unknowable, found);
      else seen.honoured.push(...found);
    }
    const isOver = outage.afterwards === undefined || Date.now() - returnedAt > AFTERWARDS_MS;
    if (isUnknowable && isOver) {
      for (const isolate of world.isolates) liftDatabase(isolate);
      await untilFound(world, clients, seen);
      isUnknowable = false;
    }
    const found = await Promise.all(world.isolates.map((isolate) => clients.storage(isolate)));
    if (recoveredMs === null && found.every((where) => where === "redis")) {
      seen.foundAt = Date.now();
      recoveredMs = seen.foundAt - returnedAt;
    }
    const done = recoveredMs !== null && Date.now() - returnedAt > recoveredMs + AFTERWARDS_MS;
    if (done && world.isolates.every(({ edge }) => left(edge.log) === 0)) break;
    await pause(50);
  }
  return recoveredMs;
}

/** What an isolate has still to write of an outage, by its last word on that. */
function left(log: readonly Record<string, unknown>[]): number {
  return Number(log.findLast(({ event }) => event === "session.replayed")?.left ?? 0);
}

/** Waits until both isolates have found the database again. */
async function untilFound(world: DatabaseWorld, clients: Clients, { living }: Seen): Promise<void> {
  const until = Date.now() + MAX_SEARCH_MS;
  for (const isolate of world.isolates) {
    while (!(await clients.databaseAnswers(isolate)) && Date.now() < until) {
      await clients.visit(sample(living, 3), () => isolate, refused);
      await pause(50);
    }
  }
}

/** Those who were ended at both isolates, the others at one of them. */
async function visitAll(
  { isolates }: DatabaseWorld,
  clients: Clients,
  seen: Seen,
  turn: number,
): Promise<void> {
  for (const isolate of isolates)
    seen.honoured.push(...(await clients.visit(seen.ended, () => isolate, honoured)));
  const at = (index: number) => isolates[(index + turn) % 2 === 0 ? 0 : 1];
  add(seen.lost, await clients.visit(seen.living, at, refused));
}

const honoured = (status: number) => status === 200;
const refused = (status: number) => status !== 200;

function add(to: Set<Client>, found: readonly Sighting[]): void {
  for (const { client } of found) to.add(client);
}

function split(clients: Set<Client>, isTold: (client: Client) => boolean) {
  const told = [...clients].filter(isTold).length;
  return { told, others: clients.size - told };
}

/** So many of them, at even distances. */
function sample(clients: readonly Client[], count: number): Client[] {
  const step = Math.max(1, clients.length / count);
  return Array.from(
    { length: Math.min(count, clients.length) },
    (_, n) => clients[Math.floor(n * step)] as Client,
  );
}

function summary({ outage, withDatabase, lost, honoured: revived, doubled, misses }: DatabaseResult): string {
  const counts = `lost ${lost.told} + ${lost.others}, honoured ${revived.told} + ${revived.others}, doubled ${doubled}`;
  const verdict = misses.length === 0 ? "ok" : `MISSED: ${misses.join(" | ")}`;
  return `${outage.name}, ${withDatabase ? "with" : "without"} a database: ${counts}: ${verdict}`;
}
