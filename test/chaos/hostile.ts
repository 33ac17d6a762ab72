import { type Dice, dice } from "./dice.ts";
import { pause } from "./proxy.ts";
import { RawClient } from "./raw-client.ts";
import { openWorld, type World } from "./world.ts";

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
      CORS_ORIGINS: "https://app.example",
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
          if (reply.byEdge && reply.status >= 500) {
            miss(`${reply.status} for ${JSON.stringify(request.bytes.slice(0, 300))}`);
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
  const resolved = (path: string) =>
    new URL(`http://x${path.startsWith("/") ? "" : "/"}${path.replace(/[?#]/g, "")}`).pathname;
  return [raw, decoded].flatMap((path) => {
    const forms = [path, straight(path), bare(path), bare(straight(cut(path)))];
    return [...forms, ...forms.map(resolved)].map((each) => each.toLowerCase());
  });
}

function malformed(chance: Dice, world: World): { bytes: string; method: string } {
  const method = chance.pick(METHODS);
  const path = pathOf(chance);
  const body = chance.chance(0.35) ? bodyOf(chance) : "";
  const lines = [`${method} ${path} HTTP/1.1`, "host: edge.example", ...headersOf(chance, world)];
  if (body !== "" || chance.chance(0.05)) lines.push(lengthOf(chance, body));
  return { method, bytes: `${lines.join("\r\n")}\r\n\r\n${body}` };
}

const METHODS = [
  ..."GET GET GET GET GET GET POST POST POST PUT PATCH DELETE DELETE HEAD OPTIONS".split(" "),
  ..."TRACE PURGE PROPFIND get FOO".split(" "),
];

const BASES = [
  "/user/profile",
  "/Admin/page",
  "/cached/x",
  "/mine/x",
  "/limited/log",
  "/auth/sessions",
  "/auth/sessions/current",
  "/auth/sessions/rotate",
  "/auth/sessions/everyone",
  "/auth/sessions/redis/abc",
  "/auth/sessions/users/ada",
  "/edge/cache/purge",
  "/edge/cache/warm",
  "/edge/limits/user:ada",
  "/edge/limits/lookup",
  "/edge",
  "/health",
  "/health/ready",
  "/",
];

const TWISTS: ((path: string, chance: Dice) => string)[] = [
  (path) => path,
  (path) => path.replace(/\//g, "//"),
  (path) => `/x/..${path}`,
  (path) => `/x/%2e%2e${path}`,
  (path) => `/.${path}`,
  (path) => path.replace(/\/(?=[^/]*$)/, "%2f"),
  (path) => `/cached/..%2f${path.slice(1)}`,
  (path) => path.replace(/\//g, "\\"),
  (path) => path.replace(/\/(?=[^/]*$)/, "%5c"),
  (path) => `${path}%00.png`,
  (path) => `${path}/`,
  (path) => `${path}/.`,
  (path) => path.toUpperCase(),
  (path) => path.replace(/^\/(\w+)/, "/$1;a=b"),
  (path) => path.replace(/[a-z]/g, (char) => `%${char.charCodeAt(0).toString(16)}`),
  (path) => path.replace(/u/g, "%2575"),
  (path) => `${path}%`,
  (path) => `${path}%zz`,
  (path) => `${path}%ff%fe`,
  (path) => `${path}\u00e9\u00ff`,
  (path) => `${path}?${"a=b&".repeat(500)}`,
  (path) => `${path}?api_key=${"k".repeat(5000)}`,
  (path) => `${path}?api_key=a&api_key=b`,
  (path) => `${path}/${"x".repeat(9000)}`,
  (path) => `${path}?x=%00%0d%0aset-cookie:a=b`,
  (path) => `http://elsewhere.example${path}`,
  (path) => `//elsewhere.example${path}`,
  (path) => path.slice(1),
  (path, chance) => path + String.fromCharCode(...Array.from({ length: 8 }, () => 33 + chance.upTo(200))),
];

function pathOf(chance: Dice): string {
  const once = chance.pick(TWISTS)(chance.pick(BASES), chance);
  const path = chance.chance(0.2) ? chance.pick(TWISTS)(once, chance) : once;
  // Anything in a request line but a space and the end of the line.
  return path.replace(/[\s\0]/g, "+") || "/";
}

const NOISE = [
  "",
  " ",
  "\u00ff\u00fe",
  "%00",
  "null",
  "-1",
  "1e999",
  "[object Object]",
  "{",
  '"',
  ",,,",
  ";",
  "x".repeat(5000),
];

function headersOf(chance: Dice, { secrets }: World): string[] {
  const noise = () => chance.pick(NOISE);
  const token = () =>
    chance.pick([
      `es1.${noise()}`,
      `es1.${"A".repeat(40)}.${"B".repeat(43)}`,
      `es1.${btoa(JSON.stringify({ s: "x", u: "ada" }))}.${"A".repeat(43)}`,
      "a.b.c",
      `${btoa('{"alg":"none"}')}.${btoa('{"sub":"ada"}')}.`,
      secrets.service,
      secrets.admin,
      chance.pick(secrets.apiKeys),
      noise(),
    ]);
  const choices: (() => string)[] = [
    () => `authorization: Bearer ${token()}`,
    () => `authorization: ${noise()}`,
    () => `cookie: session=${token()}; __Host-session=${token()}`,
    () => `cookie: ${"a=b; ".repeat(chance.upTo(400))}`,
    () => `x-api-key: ${token()}`,
    () =>
      `cf-connecting-ip: ${chance.pick(["::1", "1.2.3.4.5", "fe80::%25", "", "999.1.1.1", "1".repeat(300)])}`,
    () => `x-forwarded-for: ${noise()}`,
    () => `x-user-id: root`,
    () => `x-edge-session: {"user_id":"root"}`,
    () => `x_user_id: root`,
    () => `range: bytes=${chance.pick(["0-0", "-", "9-1", "0-1,2-3", "x", `${"9".repeat(400)}-`])}`,
    () => `if-none-match: ${noise()}`,
    () => `if-modified-since: ${noise()}`,
    () => `cache-control: ${chance.pick(["no-cache", "max-age=x", 'private="', "max-stale", noise()])}`,
    () => `accept-encoding: ${noise()}`,
    () => `origin: ${chance.pick(["null", "https://app.example", "https://evil.example", noise()])}`,
    () => `access-control-request-method: ${noise()}`,
    () => `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: x`,
    () => `traceparent: ${noise()}`,
    () => `via: ${noise()}`,
    () => `connection: ${chance.pick(["authorization", "x-api-key, cookie", "keep-alive"])}`,
    () => `content-type: ${chance.pick(["application/json", "text/plain", noise()])}`,
    () => `expect: 100-continue`,
    () => `sec-fetch-site: ${chance.pick(["cross-site", "none", noise()])}`,
  ];
  return Array.from({ length: chance.upTo(6) }, () => chance.pick(choices)());
}

function bodyOf(chance: Dice): string {
  const odd = chance.pick<unknown>([
    null,
    0,
    -1,
    1e308,
    "",
    "x".repeat(3000),
    [],
    {},
    true,
    "\u0000",
    "../../x",
    ["a"],
  ]);
  return chance.pick([
    () => JSON.stringify({ user_id: odd }),
    () => JSON.stringify({ user_id: "ada", user_data: odd, ttl: odd, tier: odd }),
    () => JSON.stringify({ user_id: "ada", user_data: "x".repeat(20_000) }),
    () => JSON.stringify({ files: odd, prefixes: odd, tags: odd }),
    () => JSON.stringify({ files: ["http://[::1", "/\\evil.example", "javascript:x"] }),
    () => JSON.stringify({ paths: [odd, "/../user/profile", "//elsewhere.example/"] }),
    () => JSON.stringify({ address: odd, reset: odd }),
    () => `${"[".repeat(5000)}${"]".repeat(5000)}`,
    () => '{"__proto__":{"polluted":true},"constructor":{"prototype":{}}}',
    () => '{"user_id":"a","user_id":"b"',
    () => "\u00ff\u00fe\u0000",
    () => "null",
  ])();
}

function lengthOf(chance: Dice, body: string): string {
  const bytes = Buffer.byteLength(body, "latin1");
  if (chance.chance(0.97)) return `content-length: ${bytes}`;
  return chance.pick(["content-length: -1", "content-length: 1e3", "content-length: 0x10"]);
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
