import type { Dice } from "../support/dice.ts";
import type { World } from "./world.ts";

export interface Malformed {
  bytes: string;
  method: string;
  /** The request is complete and readable, so that no answer is a failure. */
  isHttp: boolean;
}

/** One request, malformed or not. */
export function malformed(chance: Dice, world: World): Malformed {
  const method = chance.pick(METHODS);
  const path = pathOf(chance);
  const body = chance.chance(0.35) ? bodyOf(chance) : "";
  const lines = [`${method} ${path} HTTP/1.1`, "host: edge.example", ...headersOf(chance, world)];
  if (body !== "" || chance.chance(0.05)) lines.push(lengthOf(chance, body));
  const bytes = `${lines.join("\r\n")}\r\n\r\n${body}`;
  const ownLength = lines.some((line) => line === `content-length: ${Buffer.byteLength(body, "latin1")}`);
  const isHttp = /^[!-~]+$/.test(path) && /^[A-Z]+$/.test(method) && (body === "" || ownLength);
  return { method, bytes, isHttp: isHttp && lines.slice(2).every((line) => READABLE.test(line)) };
}

/** A field line of a name and visible characters. No `Upgrade`: the connection stays HTTP. */
const READABLE = /^(?!upgrade|content-length: -|content-length: 1e|content-length: 0x)[a-z-]+: [\x20-\x7e]*$/;

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
  (path) => `${path}%0a`,
  (path) => `${path}%0d%0a`,
  (path) => `${path}%09`,
  (path) => `${path}%20`,
  (path) => `${path}...`,
  (path) => path.replace("s", "\u00c5\u00bf"),
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
