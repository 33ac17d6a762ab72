import { inject } from "vitest";
import type { DatabaseBinding } from "../../src/config/config.ts";
import { createEvents } from "../../src/events/events.ts";
import type { LogFields } from "../../src/events/sink.ts";
import type { SessionClaim } from "../../src/identity/caller.ts";
import { verifyToken } from "../../src/identity/session-token.ts";
import { createSessionUsers } from "../../src/identity/session-users.ts";
import { createSessions } from "../../src/session/sessions.ts";
import type { SessionVerdict } from "../../src/session/verdict.ts";
import type { Batch } from "../../src/store/batch.ts";
import { createKeys } from "../../src/store/keys.ts";
import { Store } from "../../src/store/store.ts";
import { claimsOf } from "./identity.ts";
import { freshPrefix, hashOf, requestOf, routeOf } from "./limits.ts";
import { type TestPlatform, testPlatform } from "./platform.ts";

export const SECRET = "session-secret-of-this-test-only-0123";

export interface SessionIsolateOptions {
  platform?: TestPlatform;
  prefix?: string;
  /** Null: no store at all. */
  connection?: { url: string; token: string } | null;
  idleSeconds?: number;
  absoluteSeconds?: number;
  offlineGraceSeconds?: number;
  maxPerUser?: number;
  secrets?: string[];
  /** `false`: sessions are not in Redis. Default true. */
  useRedis?: boolean;
  /** The database that has sessions too. Default none. */
  databaseBinding?: DatabaseBinding | null;
  /** Maximum number of sessions, and of pending writes of each kind, in the isolate. */
  entries?: number;
}

export function sessionPlatform(): TestPlatform {
  const platform = testPlatform({ fetch: (input, init) => fetch(input, init) });
  return { ...platform, randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
}

/** One isolate's sessions with its store, its log, and a network that can fail. */
export function openSessions({
  platform = sessionPlatform(),
  prefix = freshPrefix(),
  connection = { url: inject("upstashUrl"), token: inject("upstashToken") },
  entries,
  useRedis = true,
  databaseBinding = null,
  ...config
}: SessionIsolateOptions = {}) {
  const wire = {
    cut: false,
    /** Redis gets each call, and its reply is lost. */
    deaf: false,
    /** Calls get no reply. */
    hangs: false,
    full: false,
    /** The answer in place of Redis' for a command; undefined passes the command on. */
    answer: null as ((command: unknown[]) => object | undefined) | null,
    calls: 0,
    headers: [] as Headers[],
    commands: [] as unknown[][],
  };
  const lines: (LogFields & { event: string })[] = [];
  const events = createEvents({ platform, write: (_, line) => lines.push(JSON.parse(line)) });
  const store = new Store({
    connection,
    events,
    platform: {
      ...platform,
      fetch: async (input, init) => {
        if (wire.cut) throw new TypeError("cut");
        if (wire.hangs) return new Promise<Response>(() => {});
        wire.calls += 1;
        wire.headers.push(new Headers(init?.headers));
        const commands = JSON.parse(String(init?.body)) as unknown[][];
        wire.commands.push(...commands);
        const { answer } = wire;
        if (wire.deaf) {
          await platform.fetch(input, init);
          throw new TypeError("cut");
        }
        if (!wire.full && !answer) return platform.fetch(input, init);
        // A Redis that is out of memory answers reads and refuses writes.
        const passes = ([name, ...rest]: unknown[]) =>
          wire.full ? name === "mget" || name === "ping" : answer?.([name, ...rest]) === undefined;
        const passed = commands.filter(passes);
        const replies =
          passed.length === 0
            ? []
            : await (await platform.fetch(input, { ...init, body: JSON.stringify(passed) })).json<
                unknown[]
              >();
        const refused = { error: "OOM command not allowed when used memory > 'maxmemory'." };
        return Response.json(
          commands.map((command) =>
            passed.includes(command) ? replies.shift() : (answer?.(command) ?? refused),
          ),
        );
      },
    },
  });
  const keys = createKeys({ cache: `${prefix}:c`, rateLimit: `${prefix}:r`, session: `${prefix}:s` });
  const signing = config.secrets ?? [SECRET];
  const absoluteSeconds = config.absoluteSeconds ?? 2_592_000;
  const sessionUser = createSessionUsers(signing, platform);
  const identifier = {
    hash: async (kind: string, value: string) => hashOf(`${kind}:${value}`),
    sessionUser,
  };
  const sessions = createSessions({
    store,
    keys,
    identifier,
    platform,
    events,
    useRedis,
    databaseBinding,
    ...(entries !== undefined && { entries }),
    config: {
      secrets: signing,
      idleSeconds: 86_400,
      absoluteSeconds,
      offlineGraceSeconds: 900,
      maxPerUser: 20,
      ...config,
    },
  });

  /** The verdict for a request with this token. `settle` runs the work for after its response. */
  async function present(
    token: string,
    { offline = true, by = "bearer" as "bearer" | "cookie", secrets = signing, givesUp = false } = {},
  ): Promise<SessionVerdict & { settle(): Promise<void>; calls: number }> {
    const claims = await verifyToken(token, { secrets, absoluteSeconds, now: platform.now() });
    const session: SessionClaim = claims
      ? { kind: "signed", claims, tokenSource: by }
      : { kind: "invalid", tokenSource: by };
    const works: ((batch: Batch) => void | Promise<void>)[] = [];
    const request = {
      ...requestOf(routeOf({ access: "session", offline })),
      claims: claimsOf({ session }),
      after: (work: (batch: Batch) => void | Promise<void>) => void works.push(work),
    };
    // As in the edge, the request waits for the learned deadline and the call goes on.
    const batch = store.batch(givesUp ? () => {} : undefined);
    const decide = await sessions.prepare(request, batch);
    await batch.send();
    const verdict = await decide();
    return {
      ...verdict,
      calls: batch.calls,
      async settle() {
        const after = store.batch();
        for (const work of works) await work(after);
        await after.send();
        await sessions.maintenance();
      },
    };
  }

  /** Ends the outage: the next probe succeeds, and the pending writes are replayed. */
  async function recover(): Promise<void> {
    wire.cut = false;
    platform.advance(40_000);
    await store.maintenance();
    await sessions.maintenance();
    await store.maintenance();
    await sessions.maintenance();
  }

  /** Starts an outage: three calls fail, and the breaker opens. */
  async function lose(): Promise<void> {
    wire.cut = true;
    for (let i = 0; i < 3; i += 1) {
      const batch = store.batch();
      void batch.read("x");
      await batch.send();
    }
  }
  return {
    platform,
    prefix,
    secrets: signing,
    store,
    keys,
    sessionUser,
    sessions,
    present,
    wire,
    lines,
    lose,
    recover,
  };
}
