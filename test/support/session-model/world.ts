import { freshPrefix } from "../limits.ts";
import { copyKeys } from "../redis-copies.ts";
import { openSessions, sessionPlatform } from "../sessions.ts";
import { ISOLATES } from "./operations.ts";

export type Isolate = ReturnType<typeof openSessions>;

export const IDLE_SECONDS = 86_400;

/** Isolates over one Redis and one D1, which can lose Redis, each alone, and be lost themselves. */
export function openWorld(database: D1Database) {
  const platform = sessionPlatform();
  const prefix = freshPrefix();
  const options = { platform, prefix, databaseBinding: database, idleSeconds: IDLE_SECONDS, maxPerUser: 100 };
  const isolates = Array.from({ length: ISOLATES }, () => openSessions(options));

  const isolate = (at: number): Isolate => {
    const found = isolates[at];
    if (!found) throw new RangeError(`There is no isolate ${at}`);
    return found;
  };
  return {
    platform,
    isolate,
    /** Answers a request, and does what is due after its response. */
    async serve<Reply>(at: number, work: (isolate: Isolate) => Promise<Reply>): Promise<Reply> {
      const { store, sessions } = isolate(at);
      const reply = await work(isolate(at));
      await Promise.all([store.maintenance(), sessions.maintenance()]);
      return reply;
    },
    /** Whether an isolate decides without Redis: it cannot reach it, or has not found it again. */
    isCut: (at: number): boolean => isolate(at).wire.cut || isolate(at).store.state.mode !== "redis",
    lose(at: number): void {
      isolate(at).wire.cut = true;
    },
    find(at: number): void {
      isolate(at).wire.cut = false;
    },
    /** Another isolate takes its place, with nothing in it. */
    replace(at: number): void {
      const { cut } = isolate(at).wire;
      isolates[at] = openSessions(options);
      isolate(at).wire.cut = cut;
    },
    /** Keeps what Redis holds now as its snapshot. */
    snapshot: () => copyKeys(prefix, `snapshot-${prefix}`),
    /** Redis holds its snapshot; without one, nothing. */
    restore: () => copyKeys(`snapshot-${prefix}`, prefix),
    empty: () => copyKeys(`nothing-${prefix}`, prefix),
    clear: () => copyKeys(`nothing-${prefix}`, `snapshot-${prefix}`),
  };
}

export type World = ReturnType<typeof openWorld>;
