import { randomBytes } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { startUpstashLocal, type UpstashLocal } from "../../../src/tools/upstash-local/index.ts";
import { type SessionDatabase, startSessionDatabase } from "../../support/edge/session-database.ts";
import { type Edge, startEdge } from "../../support/edge/start.ts";
import { type EchoOrigin, startEchoOrigin } from "../origin.ts";
import { FaultProxy } from "../proxy.ts";

/** One isolate, and its own ways to Redis and to the database. */
export interface Isolate {
  edge: Edge;
  redis: FaultProxy;
  /** Null: it has no `SESSION_DB`. */
  database: FaultProxy | null;
  /** How long it waits for the database, ms. */
  deadlineMs: number;
  /** Calls to the database that took about its deadline, without a fault: the machine was busy. ms since the epoch. */
  late: { from: number; to: number }[];
}

/** Two isolates in processes of their own, over one Redis and one D1 database. */
export interface DatabaseWorld {
  upstash: UpstashLocal;
  database: SessionDatabase | null;
  isolates: readonly [Isolate, Isolate];
  serviceToken: string;
  /** Copies what Redis holds now. The returned function ends Redis and starts it again with the copy. */
  snapshot(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** As long as may be: the machine has two cores for all. */
const DEADLINE_MS = 2000;

/** A reply that took this much of the deadline may have been late where it was waited for. */
const LATE = 0.75;

/** Ends a fault of the database, and notes its late replies. */
export function liftDatabase(isolate: Isolate): void {
  isolate.database?.lift(async (call) => {
    const from = Date.now();
    call.reply(await call.forward());
    const to = Date.now();
    if (to - from > LATE * isolate.deadlineMs) isolate.late.push({ from, to });
  });
}

const secret = () => randomBytes(24).toString("base64url");

/**
 * @param withDatabase Whether the isolates have a `SESSION_DB`.
 * @param deadlineMs How long they wait for Redis and for the database.
 */
export async function openDatabaseWorld(
  withDatabase: boolean,
  deadlineMs = DEADLINE_MS,
): Promise<DatabaseWorld> {
  const upstash = await startUpstashLocal({ redis: "required" });
  const database = withDatabase ? await startSessionDatabase() : null;
  const origin = await startEchoOrigin({ keepSeen: false });
  const vars = varsFor(upstash, origin, deadlineMs);
  const open = async (): Promise<Isolate> => {
    const redis = new FaultProxy(upstash.url);
    await redis.open();
    const connection = await database?.connect();
    const edge = await startEdge({
      vars: { ...vars, UPSTASH_REDIS_REST_URL: redis.url },
      ...(connection && { sessionDatabase: connection.binding }),
    });
    const isolate = { edge, redis, database: connection?.proxy ?? null, deadlineMs, late: [] };
    liftDatabase(isolate);
    return isolate;
  };
  const isolates = [await open(), await open()] as const;
  return {
    upstash,
    database,
    isolates,
    serviceToken: vars.SERVICE_TOKEN,
    snapshot: () => snapshotOf(upstash),
    async stop() {
      for (const { edge, redis } of isolates) {
        await edge.stop();
        await redis.close();
      }
      await database?.stop();
      await origin.stop();
      await upstash.stop();
    },
  };
}

function varsFor(upstash: UpstashLocal, origin: EchoOrigin, deadlineMs: number) {
  return {
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    ORIGIN_URL: origin.url,
    ORIGIN_TOKEN: secret(),
    IDENTITY_SECRET: `${secret()}${secret()}`,
    SESSION_SECRET: `${secret()}${secret()}`,
    SERVICE_TOKEN: secret(),
    STORE_DEADLINE_MS: deadlineMs,
    ROUTES: [{ path: "/user/*", access: "session" }],
  };
}

async function snapshotOf({ redis }: UpstashLocal): Promise<() => Promise<void>> {
  const [, folder] = (await redis.command("CONFIG", "GET", "dir")) as unknown[];
  const dump = join(String(folder), "dump.rdb");
  const copy = join(String(folder), "snapshot.rdb");
  await redis.command("SAVE");
  await copyFile(dump, copy);
  return async () => {
    await redis.kill();
    await copyFile(copy, dump);
    await redis.start();
  };
}
