import { dice } from "./dice.ts";
import { malformed } from "./malformed.ts";
import { pause } from "./proxy.ts";
import { RawClient } from "./raw-client.ts";
import { openWorld } from "./world.ts";

export interface HostileResult {
  requests: number;
  statuses: ReadonlyMap<number, number>;
  /** Answered or ended by the HTTP server before the Worker ran. */
  unheard: number;
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

/** No key is longer, whatever a client sends. */
const LONGEST_KEY = 160;
const AT_ONCE = 8;

/**
 * Seeded malformed requests over everything the edge owns and forwards. What must hold: no 5xx but what the origin or a
 * missing route explains, no key that grows with the input, no way around a route's `access`.
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
          limits: [{ name: "l", limit: 1000, window: "1 m", algorithm: "sliding-log" }],
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
  let unheard = 0;
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
          // What is no HTTP, or names no path, workerd's own server answers before the Worker runs.
          if (!reply.byEdge) unheard += 1;
          else statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
          // A request that can be read is answered, by whomever; and the Worker never fails.
          const unanswered = reply.status === 0 && request.isHttp;
          if (unanswered || (reply.byEdge && reply.status >= 500)) {
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
    for (const { method, url, user } of world.origin.seen) {
      if (user === null && readings(url).some((path) => GUARDED.test(path))) {
        miss(`evaded: ${method} ${JSON.stringify(url.slice(0, 200))} reached the origin for nobody`);
      }
    }
    const [keys = 0, longestKey = 0, immortal = 0] = (await world.upstash.redis.command(
      "EVAL",
      KEY_FACTS,
      "0",
    )) as number[];
    if (longestKey > LONGEST_KEY) miss(`a key of ${longestKey} characters`);
    if (immortal > 0) miss(`${immortal} keys without a lifetime`);
    const unhandled = world.edge.printed.filter((line) => UNHANDLED.test(line)).length;
    if (unhandled > 0) miss(`${unhandled} unhandled errors`);
    const failed = world.edge.log.filter(({ event }) => event === "request.failed").length;
    if (failed > 0) miss(`${failed} requests failed inside the edge`);
    const forwarded = world.origin.seen.length;
    return { requests: sent, statuses, unheard, forwarded, longestKey, keys, misses };
  } finally {
    await world.stop();
  }
}

/** What the two rules of the run are about: everything under /user, and one segment under /Admin. */
const GUARDED = /^\/(user(\/|$)|admin\/[^/]+$)/;
/** Not what workerd's server prints of a request line that it cannot read. */
const UNHANDLED = /^(?!.*server\.c\+\+).*(uncaught|unhandled)/i;

/** The ways in which origins read a path: escapes undone, backslashes turned, dots resolved, parameters cut, no case. */
function readings(url: string): string[] {
  const raw = url.replace(/[?#].*$/s, "");
  let decoded = raw;
  try {
    decoded = decodeURIComponent(raw);
  } catch {
    // An origin reads it as it is.
  }
  const cut = (path: string) => path.split("\0")[0] ?? "";
  const straight = (path: string) => path.replace(/\\/g, "/").replace(/\/{2,}/g, "/");
  const bare = (path: string) => path.replace(/;[^/]*/g, "");
  // A pattern's `$` matches before a last newline; Windows drops dots and spaces at a name's end.
  const trimmed = (path: string) => path.replace(/[\s\p{Cc}.]+(?=\/|$)/gu, "");
  const resolved = (path: string) =>
    new URL(`http://x${path.startsWith("/") ? "" : "/"}${path.replace(/[?#]/g, "")}`).pathname;
  return [raw, decoded].flatMap((path) => {
    const forms = [path, straight(path), bare(path), bare(straight(cut(path))), trimmed(path)];
    return [...forms, ...forms.map(resolved)].map((each) => each.toLowerCase());
  });
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
  const sorted = [...statuses].sort(([one], [other]) => one - other);
  return [
    "## Hostile clients",
    "",
    `${requests.toLocaleString("en")} malformed requests over a bare connection: paths, methods, headers, tokens and bodies,`,
    "some with the real operator's and server's tokens. Each path that reached the origin was then read in every way that",
    "origins read paths (escapes, backslashes, dots, parameters, case): none of them is one that a rule guards.",
    "",
    `- statuses: ${sorted.map(([status, count]) => `${status} × ${count.toLocaleString("en")}`).join(", ")};` +
      ` ${unheard.toLocaleString("en")} more the HTTP server refused before the Worker ran`,
    `- reached the origin: ${forwarded.toLocaleString("en")}`,
    `- Redis keys afterwards: ${keys.toLocaleString("en")}, the longest of ${longestKey} characters, each with a lifetime`,
    "",
    ...misses.map((miss) => `- **missed**: ${miss}`),
    ...(misses.length > 0 ? [""] : []),
  ].join("\n");
}
