import type { Config } from "../config/config.ts";
import type { Platform } from "../runtime/platform.ts";
import type { DatabaseState } from "../session/session-database.ts";
import { FAR_MS } from "../store/far-events.ts";
import type { Store } from "../store/store.ts";

export interface HealthOptions {
  config: Config;
  store: Store;
  platform: Platform;
  /** How the database of sessions is; null where none is configured. Default: none is. */
  databaseState?(): Promise<DatabaseState | null>;
}

type Where = "redis" | "memory";

/** Which capabilities use Redis and which use memory, in the isolate that answers. */
export interface HealthFacts {
  /**
   * `degraded`: the store is lost, or refuses writes or reads, the database of sessions is lost or shares its Redis, or there is no
   * origin to forward to.
   */
  status: "healthy" | "degraded";
  /** `EDGE_MODE`. */
  mode: Config["mode"];
  system: {
    redis: {
      status: "healthy" | "unavailable" | "not_configured";
      available: boolean;
      message: string;
      /** Median of the last replies that requests waited for, whole ms; absent before there are 16. */
      median_ms?: number;
    };
    /** `SESSION_DB`, where it is configured. */
    database?: { status: DatabaseState; available: boolean; message: string };
  };
  services: { rate_limiting: Where; session_storage: Where | "database"; response_cache: Where };
}

/** Minimum time between two pings, and maximum age of a reply that counts without a ping, ms. */
const ASK_EVERY_MS = 5000;
/** For so long a command that Redis has refused is told of, ms: a PING is answered by a Redis that is full, too. */
const REFUSED_MS = 60_000;

/**
 * Says what runs on Redis and what on memory. It asks Redis at most every 5 s per isolate, whatever the number
 * of questions, and never while the breaker is open: then it knows.
 */
export function createHealth({ config, store, platform, databaseState }: HealthOptions) {
  let askedAt = Number.NEGATIVE_INFINITY;
  /** Until something is known, it is not said to be lost. */
  let answered = true;

  /** @param lost A call of the same request has just failed: Redis is not asked once more. */
  return async function health(lost = false): Promise<HealthFacts> {
    if (lost) {
      askedAt = platform.now();
      answered = false;
    }
    const [available, database = null] = await Promise.all([redisAnswers(), databaseState?.()]);
    const inDatabase = database === "healthy" || database === "shared";
    const where = (onRedis: boolean): Where => (available && onRedis ? "redis" : "memory");
    const writable = available && !isRecent(store.writesRefusedAt);
    const readable = available && !isRecent(store.readsRefusedAt);
    const { rateLimit, sessions, cache } = config.redisFor;
    return {
      status:
        config.origin &&
        ((writable && readable) || !store.configured) &&
        (database ?? "healthy") === "healthy"
          ? "healthy"
          : "degraded",
      mode: config.mode,
      system: {
        redis: { ...redisFacts(available), available },
        ...(database !== null && { database: databaseFacts(database) }),
      },
      services: {
        rate_limiting: where(rateLimit && writable),
        session_storage: !(readable && sessions) && inDatabase ? "database" : where(sessions && readable),
        response_cache: where(cache && readable),
      },
    };
  };

  function isRecent(refusedAt: number): boolean {
    return Math.abs(platform.now() - refusedAt) < REFUSED_MS;
  }

  async function redisAnswers(): Promise<boolean> {
    if (!store.reachable) return false;
    const now = platform.now();
    if (now - store.heardAt < ASK_EVERY_MS && store.heardAt >= askedAt) return true;
    if (now - askedAt < ASK_EVERY_MS) return answered && store.reachable;
    askedAt = now;
    const batch = store.batch();
    batch.queue((pipeline) => pipeline.ping());
    await batch.send();
    answered = batch.error === undefined;
    return answered;
  }

  function redisFacts(available: boolean): Omit<HealthFacts["system"]["redis"], "available"> {
    if (available) return { status: "healthy", ...distanceFacts() };
    if (!store.configured) {
      return {
        status: "not_configured",
        message: "No store is configured: everything is kept in this isolate's memory",
      };
    }
    return { status: "unavailable", message: "Redis does not answer: this isolate goes on from its memory" };
  }

  function distanceFacts(): Pick<HealthFacts["system"]["redis"], "message" | "median_ms"> {
    const { medianMs } = store;
    const refuses = isRecent(store.writesRefusedAt) || isRecent(store.readsRefusedAt);
    const message = refuses ? REFUSING : "Redis answers";
    if (medianMs === null) return { message };
    return {
      message: medianMs > FAR_MS && !refuses ? FAR : message,
      median_ms: Math.round(medianMs),
    };
  }
}

const FAR =
  "Redis answers, and is far away: choose a placement near it for the Worker, or a database in the region of your users";

const REFUSING =
  "Redis answers, and refuses writes or reads: it is full, a replica or loading, or its token may not write or read, and this isolate counts and keeps by itself";

const DATABASE_MESSAGES: Record<DatabaseState, string> = {
  healthy: "The database of sessions answers",
  shared: "Another database is compared with the same Redis: give each its own Redis or REDIS_SESSION_PREFIX",
  unavailable:
    "SESSION_DB does not answer, or its schema is not this version's: its migrations may be missing",
};

function databaseFacts(status: DatabaseState): NonNullable<HealthFacts["system"]["database"]> {
  return { status, available: status !== "unavailable", message: DATABASE_MESSAGES[status] };
}

export type Health = ReturnType<typeof createHealth>;
