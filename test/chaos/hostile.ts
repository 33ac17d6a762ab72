import { dice } from "../support/dice.ts";
import { evasions, HOSTILE_LIMIT } from "./evasions.ts";
import { malformed } from "./malformed.ts";
import { pause } from "./proxy.ts";
import { RawClient } from "./raw-client.ts";
import { uncaughtErrors } from "./uncaught.ts";
import { openWorld } from "./world.ts";

export interface HostileResult {
  requests: number;
  statuses: ReadonlyMap<number, number>;
  /** Requests that the HTTP server answered before the Worker ran, by status; 0: it closed the connection. */
  unheard: ReadonlyMap<number, number>;
  forwarded: number;
  longestKey: number;
  keys: number;
  misses: string[];
}

export interface HostileOptions {
  seed?: number;
  /** Default 100000. */
  requests?: number;
  progress?(line: string): void;
}

/** The longest key allowed in Redis, whatever a client sends. */
const MAX_KEY_LENGTH = 160;
const AT_ONCE = 8;

/**
 * Seeded malformed requests to every path that the edge owns or forwards. Required: no 5xx of the
 * edge (its HTTP server's own answers are only counted), no key that grows with the input, and no way around a route's `access`.
 */
export async function runHostile(options: HostileOptions = {}): Promise<HostileResult> {
  const { seed = 1, requests = 100_000, progress = () => {} } = options;
  const world = await openWorld({
    keepSeen: true,
    vars: {
      ROUTES: [
        { path: "/user/*", access: "session" },
        { path: "/Admin/:page", access: "session" },
        {
          path: "/limited/log",
          limits: [
            { name: "l", limit: HOSTILE_LIMIT, window: "1 w", algorithm: "sliding-log", by: "address" },
          ],
        },
        { path: "/cached/*", cache: { ttl: 600, scope: "shared" } },
        { path: "/mine/*", access: "identified", cache: { ttl: 600, scope: "caller" } },
        { path: "/*" },
      ],
      CORS_ALLOWED_ORIGINS: "https://app.example",
    },
  });
  const chance = dice(seed);
  const statuses = new Map<number, number>();
  const misses: string[] = [];
  let sent = 0;
  const unheard = new Map<number, number>();
  const miss = (what: string) => {
    if (misses.length < 20) misses.push(what);
  };
  try {
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        const client = new RawClient(world.edge.url);
        while (sent < requests) {
          sent += 1;
          if (sent % 10_000 === 0) progress(`hostile: ${sent} of ${requests}`);
          const request = malformed(chance, world);
          const reply = await client.send(request.bytes, { head: request.method === "HEAD" });
          // workerd's HTTP server answers what is not HTTP, or names no path, before the Worker runs.
          const counts = reply.byEdge ? statuses : unheard;
          counts.set(reply.status, (counts.get(reply.status) ?? 0) + 1);
          // A readable request gets an answer, and none of the edge's is an error. What workerd's server says by itself, such
          // as 501 to a method it does not know or 500 to a path without a leading `/`, is counted apart.
          const unanswered = reply.status === 0 && request.isHttp;
          const failed = reply.status >= 500 && reply.byEdge;
          if (unanswered || failed) {
            const answer = `${reply.status} ${reply.body.slice(0, 200)}`;
            miss(`${answer} for ${JSON.stringify(request.bytes.slice(0, 300))}`);
          }
        }
        client.close();
      }),
    );
    const alive = await world.edge.fetch("/health");
    if (alive.status !== 200) miss(`health is ${alive.status} afterwards`);
    await pause(300);
    const uncounted = world.edge.log.filter(({ limits }) => / by memory$/.test(String(limits))).length;
    for (const evasion of evasions(world.origin.seen, uncounted)) miss(evasion);
    const [keys = 0, longestKey = 0, immortal = 0] = (await world.upstash.redis.command(
      "EVAL",
      KEY_FACTS,
      "0",
    )) as number[];
    if (longestKey > MAX_KEY_LENGTH) miss(`a key of ${longestKey} characters`);
    if (immortal > 0) miss(`${immortal} keys without a lifetime`);
    const unhandled = uncaughtErrors(world.edge.printed).length;
    if (unhandled > 0) miss(`${unhandled} unhandled errors`);
    const failed = world.edge.log.filter(({ event }) => event === "request.failed").length;
    if (failed > 0) miss(`${failed} requests failed inside the edge`);
    const forwarded = world.origin.seen.length;
    return { requests: sent, statuses, unheard, forwarded, longestKey, keys, misses };
  } finally {
    await world.stop();
  }
}

const KEY_FACTS = `
local keys, longest, immortal = redis.call('KEYS', '*'), 0, 0
for _, key in ipairs(keys) do
  longest = math.max(longest, #key)
  if redis.call('PTTL', key) == -1 then immortal = immortal + 1 end
end
return {#keys, longest, immortal}`;

/** The section of RESULTS.md. */
export function hostileReport(result: HostileResult): string {
  const { requests, statuses, unheard, forwarded, keys, longestKey, misses } = result;
  const inWords = (counts: ReadonlyMap<number, number>) =>
    [...counts]
      .sort(([one], [other]) => one - other)
      .map(([status, count]) => `${status || "closed"} × ${count.toLocaleString("en")}`)
      .join(", ");
  return [
    "## Hostile clients",
    "",
    `${requests.toLocaleString("en")} malformed requests over a bare connection: paths, methods, headers, tokens and bodies,`,
    "some with the real operator's and server's tokens. Each path that reached the origin was then read in every way that",
    "origins read paths (escapes, backslashes, dots, parameters, case, what Windows and `$` drop at an end): none is one that",
    "a rule guards, and of no address more came through a limit than it admits.",
    "",
    `- statuses: ${inWords(statuses)}`,
    `- of the HTTP server itself, before the Worker ran: ${inWords(unheard)}`,
    `- reached the origin: ${forwarded.toLocaleString("en")}`,
    `- Redis keys afterwards: ${keys.toLocaleString("en")}, the longest of ${longestKey} characters, each with a lifetime`,
    "",
    ...misses.map((miss) => `- **missed**: ${miss}`),
    ...(misses.length > 0 ? [""] : []),
  ].join("\n");
}
