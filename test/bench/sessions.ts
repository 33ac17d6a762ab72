/**
 * What sessions cost: `npm run bench -- sessions`.
 *
 * Calls to the store are counted where they arrive, commands by the change of Redis's own `INFO commandstats`, which counts
 * those inside scripts too; both are exact, and the run fails where they differ from what docs/sessions.md says. Times are this
 * machine's and are only printed.
 */
import { writeFile } from "node:fs/promises";
import { unmatchedRoute } from "../../src/config/route.ts";
import { loadConfig } from "../../src/edge/load-config.ts";
import { createEvents } from "../../src/events/events.ts";
import type { SessionClaim } from "../../src/identity/caller.ts";
import { verifyToken } from "../../src/identity/session-token.ts";
import { createSessionUsers } from "../../src/identity/session-users.ts";
import type { EdgeRequest } from "../../src/request/capability.ts";
import { forwardedRequest } from "../../src/request/forwarded.ts";
import { type Platform, workerPlatform } from "../../src/runtime/platform.ts";
import { createSessions } from "../../src/session/sessions.ts";
import type { Batch } from "../../src/store/batch.ts";
import { createKeys } from "../../src/store/keys.ts";
import { Store } from "../../src/store/store.ts";
import { startUpstashLocal } from "../../src/tools/upstash-local/index.ts";
import { claimsOf } from "../support/identity.ts";
import { commandsRun } from "./commands-run.ts";

const SECRET = "a-secret-for-this-bench-only-0123456789";
const ROUNDS = 200;
let now = Date.UTC(2026, 0, 15, 12, 0, 0);
const platform: Platform = { ...workerPlatform, now: () => now };
const upstash = await startUpstashLocal({ redis: "auto" });
const lines: string[] = [];
const failures: string[] = [];
const say = (line = "") => lines.push(line);

const events = createEvents({ platform, level: "error" });
const store = new Store({
  connection: { url: upstash.url, token: upstash.token },
  platform,
  events,
  deadlineMs: 60_000,
});
const keys = createKeys({ cache: "bench:c", rateLimit: "bench:r", session: "bench:s" });
const sessions = createSessions({
  store,
  keys,
  platform,
  events,
  identifier: {
    async hash(kind, value) {
      const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${kind}\0${value}`));
      return Buffer.from(digest).toString("hex").slice(0, 32);
    },
    sessionUser: createSessionUsers([SECRET], platform),
  },
  config: {
    secrets: [SECRET],
    idleSeconds: 86_400,
    absoluteSeconds: 2_592_000,
    offlineGraceSeconds: 900,
    maxPerUser: 20,
  },
});
const route = loadConfig({}, [{ path: "/", access: "session" }]).routes[0] ?? unmatchedRoute;

/** A request with this token, and its deferred writes. */
async function present(token: string) {
  const claims = await verifyToken(token, { secrets: [SECRET], now, absoluteSeconds: 2_592_000 });
  const session: SessionClaim = claims
    ? { kind: "signed", claims, tokenSource: "bearer" }
    : { kind: "invalid", tokenSource: "bearer" };
  const request = new Request("https://edge.example/");
  const works: ((batch: Batch) => void | Promise<void>)[] = [];
  const url = new URL(request.url);
  const edgeRequest: EdgeRequest = {
    request,
    url,
    path: "/",
    route,
    forwarded: forwardedRequest({ request, url }, route, { cached: true, toHandlers: false }),
    claims: { ...claimsOf(), session },
    requestId: "bench",
    after: (work) => void works.push(work),
    waitUntil: () => {},
  };
  const batch = store.batch();
  const decide = await sessions.prepare(edgeRequest, batch);
  await batch.send();
  const verdict = await decide();
  const after = store.batch();
  for (const work of works) await work(after);
  await after.send();
  return verdict.kind;
}

interface Row {
  name: string;
  /** Exact, per run of `work`. */
  calls: number;
  commands: number;
  rounds?: number;
  work(round: number): Promise<unknown>;
}

async function measure({ name, calls, commands, rounds = ROUNDS, work }: Row): Promise<void> {
  // The first may have to send a script's text.
  await work(-1);
  upstash.resetCalls();
  const before = await commandsRun(upstash);
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) await work(round);
  const each = (performance.now() - startedAt) / rounds;
  const ran = ((await commandsRun(upstash)) - before) / rounds;
  const called = upstash.calls.length / rounds;
  if (called !== calls) failures.push(`${name}: ${called} calls, not ${calls}`);
  if (ran !== commands) failures.push(`${name}: ${ran} commands, not ${commands}`);
  say(`| ${name} | ${called} | ${ran} | ${each.toFixed(2)} |`);
  console.error(`${name}: done`);
}

say("# What sessions cost");
say();
say(
  "Made by `npm run bench -- sessions`: a real Redis behind the local endpoint. Calls and commands are exact; the",
);
say("milliseconds are one machine's, Node's own `fetch` included.");
say();
say("| what | calls to Upstash | commands it bills | ms |");
say("|---|---|---|---|");
const { token } = await sessions.create({ userId: "reader", tier: "premium" });
await measure({ name: "a request with a session", calls: 1, commands: 1, work: () => present(token) });
await measure({ name: "a forged token", calls: 0, commands: 0, work: () => present(`${token}x`) });
await measure({
  name: "a request a minute later, its activity written after the response",
  calls: 2,
  commands: 4,
  async work() {
    now += 60_000;
    await present(token);
  },
});
await measure({
  name: "making one",
  calls: 1,
  commands: 7,
  work: (round) => sessions.create({ userId: `maker_${round}` }),
});
const made = await Promise.all(
  Array.from({ length: ROUNDS + 1 }, (_, i) => sessions.create({ userId: `ender_${i}` })),
);
await measure({
  name: "ending one",
  calls: 1,
  commands: 4,
  work: (round) =>
    sessions.service.revoke(made[round + 1]?.claims.id ?? "", made[round + 1]?.claims.userId ?? ""),
});

say();
say("## Ending everyone's, by the number of sessions");
say();
say("| sessions in Redis | calls | commands | ms |");
say("|---|---|---|---|");
// The first sends the script's text.
await sessions.service.revokeEveryone();
let filled = 0;
for (const count of [10, 10_000, 1_000_000]) {
  await fill(count);
  upstash.resetCalls();
  const before = await commandsRun(upstash);
  const startedAt = performance.now();
  await sessions.service.revokeEveryone();
  const took = performance.now() - startedAt;
  const commands = (await commandsRun(upstash)) - before;
  if (commands !== 3) failures.push(`everyone's of ${count}: ${commands} commands, not 3`);
  say(`| ${count.toLocaleString("en")} | ${upstash.calls.length} | ${commands} | ${took.toFixed(2)} |`);
  console.error(`everyone's of ${count}: done`);
  now += 1000;
}

const text = `${lines.join("\n")}\n`;
console.log(text);
await writeFile(`${import.meta.dirname}/SESSIONS.md`, text);
await upstash.stop();
if (failures.length > 0) {
  console.error(failures.join("\n"));
  process.exitCode = 1;
}

/** Creates records in their stored form, by a script in Redis, because only their ending is measured. */
async function fill(count: number): Promise<void> {
  const record = JSON.stringify({ session_id: "x", user_id: "y", user_data: {} });
  const script = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
    redis.call('SET', ARGV[3] .. 'filled' .. i, ARGV[4], 'PX', 3600000) end return 1`;
  const step = 50_000;
  for (; filled < count; filled = Math.min(count, filled + step)) {
    const to = Math.min(count, filled + step) - 1;
    await upstash.redis.command("EVAL", script, "0", `${filled}`, `${to}`, keys.session(""), record);
  }
}
