import { randomBytes } from "node:crypto";
import { type StoreCommand, storeCommands } from "../../store/commands.ts";
import { isForbidden, StoreError } from "../../store/errors.ts";
import { createTransport, type ReplyItem } from "../../store/transport.ts";
import { type AskError, failureOf } from "../ask.ts";
import { type Finding, well, wrong } from "./report.ts";
import type { Settings } from "./settings.ts";

/** The default deadline of one call. */
const CALL_MS = 5000;
const PINGS = 10;

/**
 * Whether Upstash answers, how far away it is, and whether the token may do what the Worker needs. It asks with the Worker's
 * own transport; what it writes are keys of a random name below the prefixes, gone after ten seconds.
 */
export async function lookAtStore(
  { values, sources }: Pick<Settings, "values" | "sources">,
  environment: string | undefined,
  callMs = CALL_MS,
): Promise<Finding[]> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = values;
  const put = `npx wrangler secret put UPSTASH_REDIS_REST_TOKEN${environment === undefined ? "" : ` --env ${environment}`}`;
  if (!url) {
    return sources.has("UPSTASH_REDIS_REST_URL")
      ? [wrong("Upstash: not asked, because UPSTASH_REDIS_REST_URL is no address.")]
      : [
          wrong(
            "Upstash: UPSTASH_REDIS_REST_URL is not set: limits, sessions and cache live in each isolate.",
            'UPSTASH_REDIS_REST_URL = "https://….upstash.io" under [vars], from the database\'s page',
          ),
        ];
  }
  const where = `Upstash ${url.origin}`;
  if (!token) return [wrong(`${where}: not asked, because UPSTASH_REDIS_REST_TOKEN is missing.`, put)];

  const { send, seen } = connect(url, token, callMs);
  try {
    const started = performance.now();
    const [pong] = await send(["PING"]);
    if (pong?.error !== undefined && !isForbidden(pong.error)) return [wrong(`${where} refuses PING`)];
    const first = performance.now() - started;
    const distance = await distanceOf(send, callMs);
    const permitted = await permissionsOf(send, Object.values(prefixesOf(values)));
    return [
      well(`${where} answers (${ms(first)} with the connection made)`),
      judgeDistance(distance, values.STORE_DEADLINE_MS),
      permitted.length === 0
        ? well("Upstash: the token may do all that the Worker does")
        : judgePermissions(permitted, put),
    ];
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    return [judgeFailure(where, error, seen, put)];
  }
}

export function prefixesOf(values: Settings["values"]) {
  return {
    cache: values.REDIS_CACHE_PREFIX,
    rateLimit: values.REDIS_RATE_LIMIT_PREFIX,
    session: values.REDIS_SESSION_PREFIX,
  };
}

/** What the transport drops on purpose, and a person who looks for the reason needs. */
interface Seen {
  failure?: AskError;
  contentType?: string;
  location?: string;
}

/** Commands as one call, with the deadline of the look. */
type Send = (...commands: (string | number)[][]) => Promise<ReplyItem[]>;

function connect(url: URL, token: string, deadlineMs: number): { send: Send; seen: Seen } {
  const seen: Seen = {};
  const platform = {
    async fetch(input: string | URL | Request, init?: RequestInit) {
      try {
        const response = await fetch(input, init);
        seen.contentType = response.headers.get("content-type")?.split(";")[0] ?? "";
        const location = response.headers.get("location");
        if (location !== null && URL.canParse(location, url.href))
          seen.location = new URL(location, url.href).origin;
        return response;
      } catch (error) {
        seen.failure = failureOf(error);
        throw error;
      }
    },
    timer(milliseconds: number, run: () => void) {
      const id = setTimeout(run, milliseconds);
      return () => clearTimeout(id);
    },
  };
  const transport = createTransport({ url: url.href, token, platform, aborts: true });
  return { send: async (...commands) => (await transport({ commands, deadlineMs })).items, seen };
}

/** Milliseconds of ten calls on the connection that is open by now. */
async function distanceOf(send: Send, callMs: number): Promise<number[]> {
  const times: number[] = [];
  const until = performance.now() + callMs;
  while (times.length < PINGS && performance.now() < until) {
    const started = performance.now();
    await send(["PING"]);
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b);
}

function judgeDistance(times: readonly number[], deadlineMs: number): Finding {
  const p50 = times[Math.floor((times.length - 1) / 2)] ?? 0;
  const says = `Upstash: p50 of ${times.length} pings from this machine is ${ms(p50)} (a Worker may be nearer or farther)`;
  return p50 < deadlineMs
    ? well(says)
    : wrong(
        `${says}, and STORE_DEADLINE_MS is ${deadlineMs}: a Worker as far away would never wait for it`,
        "move the database near your users, or raise STORE_DEADLINE_MS under [vars]",
      );
}

function ms(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}

/** One harmless call of each command; `key` is a string that lives for ten seconds, `hash` and `set` end with the last line. */
const TRIALS: Record<
  StoreCommand,
  (names: { key: string; hash: string; set: string }) => (string | number)[]
> = {
  set: ({ key }) => ["SET", key, "1", "PX", 10_000],
  get: ({ key }) => ["GET", key],
  mget: ({ key }) => ["MGET", key],
  exists: ({ key }) => ["EXISTS", key],
  incrby: ({ key }) => ["INCRBY", key, 1],
  pexpire: ({ key }) => ["PEXPIRE", key, 10_000],
  pttl: ({ key }) => ["PTTL", key],
  eval: ({ key }) => ["EVAL", "return 1", 1, key],
  evalsha: ({ key }) => ["EVALSHA", "0".repeat(40), 1, key],
  hset: ({ hash }) => ["HSET", hash, "f", "1"],
  hget: ({ hash }) => ["HGET", hash, "f"],
  hmget: ({ hash }) => ["HMGET", hash, "f"],
  hexists: ({ hash }) => ["HEXISTS", hash, "f"],
  hgetall: ({ hash }) => ["HGETALL", hash],
  hlen: ({ hash }) => ["HLEN", hash],
  hdel: ({ hash }) => ["HDEL", hash, "f"],
  zadd: ({ set }) => ["ZADD", set, 1, "m"],
  zcard: ({ set }) => ["ZCARD", set],
  zcount: ({ set }) => ["ZCOUNT", set, "-inf", "+inf"],
  zrange: ({ set }) => ["ZRANGE", set, 0, 0],
  zscore: ({ set }) => ["ZSCORE", set, "m"],
  zrem: ({ set }) => ["ZREM", set, "m"],
  zremrangebyrank: ({ set }) => ["ZREMRANGEBYRANK", set, 0, -1],
  zremrangebyscore: ({ set }) => ["ZREMRANGEBYSCORE", set, "-inf", "+inf"],
  ping: () => ["PING"],
  del: ({ key, hash, set }) => ["DEL", key, hash, set],
};

/** Something that the token may not do: a command, or any with keys of a prefix. */
interface Refused {
  command: StoreCommand;
  prefix: string;
}

async function permissionsOf(send: Send, prefixes: readonly string[]): Promise<Refused[]> {
  const name = `doctor-${randomBytes(9).toString("base64url")}`;
  const names = Object.keys(TRIALS) as StoreCommand[];
  const trials = prefixes.flatMap((prefix, index) =>
    // Each command once; of the other prefixes only that keys are allowed at all.
    (index === 0 ? names : (["set", "get", "del"] as const)).map((command) => ({ prefix, command })),
  );
  const commands = trials.map(({ prefix, command }) => {
    const key = `${prefix}:${name}`;
    return TRIALS[command]({ key, hash: `${key}-h`, set: `${key}-z` });
  });
  const items = await send(...commands);
  return trials.filter((_, index) => isForbidden(items[index]?.error ?? ""));
}

const WRITES: ReadonlySet<StoreCommand> = new Set([
  ...(["set", "del", "incrby", "pexpire", "hset", "hdel", "zadd"] as const),
  ...(["zrem", "zremrangebyrank", "zremrangebyscore"] as const),
]);

function judgePermissions(refused: readonly Refused[], put: string): Finding {
  const commands = new Set(refused.map(({ command }) => command));
  const fix = `make a token with the rules below, then ${put}`;
  if (storeCommands.every((name) => !WRITES.has(name) || commands.has(name)) && !commands.has("get")) {
    return wrong(
      "Upstash: the token is read-only",
      `copy the standard token from the database's page, or ${fix}`,
    );
  }
  const prefixes = [...new Set(refused.map(({ prefix }) => prefix))].map((prefix) => `${prefix}:*`);
  return wrong(
    `Upstash: the token may not run ${[...commands].map((name) => name.toUpperCase()).join(", ")} on keys ${prefixes.join(", ")}`,
    fix,
  );
}

function judgeFailure(
  where: string,
  { code, message, status }: StoreError,
  seen: Seen,
  put: string,
): Finding {
  const address = "set UPSTASH_REDIS_REST_URL to the REST address on the database's page";
  switch (code) {
    case "unauthorized":
      return wrong(
        `${where} refuses the token (${status ?? "WRONGPASS"}): it is another database's, or was reset`,
        put,
      );
    case "throttled":
      return wrong(
        `${where}: the plan's requests are used up, or too many came at once${status === undefined ? "" : ` (${status})`}`,
        "wait for the next period, or change the plan on the database's page",
      );
    case "unreachable":
      return wrong(`${where}: ${seen.failure?.message ?? "the connection broke"}`, address);
    case "timeout":
      return wrong(`${where}: ${message.replace("The store did not answer", "no answer")}`, address);
    case "malformed":
      return wrong(
        `${where} answers ${seen.contentType || "something"} that is no reply of Upstash's REST API`,
        address,
      );
    case "server":
      return seen.location === undefined
        ? wrong(`${where} answers ${status}${seen.contentType ? ` with ${seen.contentType}` : ""}`, address)
        : wrong(`${where} answers ${status} and sends on to ${seen.location}`, address);
    default:
      return wrong(`${where}: ${message}`);
  }
}
