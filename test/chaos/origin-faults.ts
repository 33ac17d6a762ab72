import { DEADLINE_MS, type Ending, type OriginFault, originFaults } from "./lying-origins.ts";
import { pause } from "./proxy.ts";
import { type RawOrigin, startRawOrigin, wellBody } from "./raw-origin.ts";
import { openWorld, type World } from "./world.ts";

export interface OriginFaultResult {
  name: string;
  what: string;
  cold: string;
  stale: string;
  asked: number;
  /** What the next client got from the healthy origin: never a remainder of the fault. */
  next: string;
  stored: number;
  /** Connections to the origin that were still open two seconds later. */
  open: number;
  misses: string[];
  /** Violations that the Worker cannot prevent, and why. */
  excused: string | null;
}

/** Runs each fault against the built Worker, once with nothing stored and once with a stale response stored. */
export async function runOriginFaults(
  progress: (line: string) => void = () => {},
): Promise<OriginFaultResult[]> {
  const origin = await startRawOrigin();
  const world = await openWorld({
    originUrl: origin.url,
    vars: { ORIGIN_DEADLINE_MS: DEADLINE_MS, ISOLATE_MAX_AGE_MS: 5000 },
  });
  try {
    for (const { name } of originFaults) await visit(world, `/cached/stale-${name}`);
    await pause(1500);
    const results: OriginFaultResult[] = [];
    for (const fault of originFaults) {
      const result = await runOne(world, origin, fault);
      results.push(result);
      const verdict = result.misses.length === 0 ? "ok" : `MISSED: ${result.misses.join(" | ")}`;
      progress(`${results.length}/${originFaults.length} origin ${fault.name}: ${result.cold}: ${verdict}`);
    }
    return results;
  } finally {
    await world.stop();
    await origin.stop();
  }
}

async function runOne(world: World, origin: RawOrigin, fault: OriginFault): Promise<OriginFaultResult> {
  const { name, what, cold: expected } = fault;
  const coldPath = `/cached/cold-${name}`;
  const stalePath = `/cached/stale-${name}`;
  // What the fault before left to the deferred writes is written by then.
  await pause(300);
  const storedBefore = await storedKeys(world);
  if (fault.behaviour) origin.behave(fault.behaviour);
  else await origin.down();
  const askedBefore = origin.asked;
  const cold = await visit(world, coldPath, fault.method);
  const asked = origin.asked - askedBefore;
  const stale = await visit(world, stalePath, fault.method);
  origin.behave(null);
  await origin.up();
  await pause(2000);
  const open = origin.open;
  const stored = (await storedKeys(world)) - storedBefore;
  if (fault.excused) {
    await origin.down();
    await origin.up();
  }
  const next = await visit(world, coldPath);
  // The next fault opens its own connections.
  await origin.down();
  await origin.up();

  const cacheable = fault.isStored === true;
  const misses: string[] = [];
  const miss = (wrong: boolean, words: string) => {
    if (wrong) misses.push(words);
  };
  miss(cold.status !== expected.status, `${cold.status} in place of ${expected.status}`);
  miss(cold.ending !== expected.ending, `the answer was ${cold.ending}, not ${expected.ending}`);
  miss(
    expected.body !== undefined && cold.body !== expected.body,
    `the body was "${cold.body.slice(0, 40)}"`,
  );
  miss(asked !== (fault.asked ?? 1), `the origin was asked ${asked} times`);
  if (fault.stale === "stands in") {
    miss(
      stale.status !== 200 || stale.body !== wellBody(stalePath),
      `${stale.status} where a stale answer may stand in`,
    );
  } else {
    const same = stale.status === expected.status && stale.ending === expected.ending;
    miss(!same, `where a stale one is: ${stale.status}, ${stale.ending}`);
    miss(expected.body !== undefined && stale.body !== expected.body, "and another body");
  }
  miss(open > MAX_OPEN, `${open} connections are still open`);
  // A full answer that may not be stored withdraws the stale one: then there is one less.
  miss(!cacheable && stored > 0, `${stored} entries were stored`);
  miss(
    !cacheable && (next.status !== 200 || next.body !== wellBody(coldPath)),
    `then ${next.status} "${next.body.slice(0, 40)}"`,
  );
  return {
    name,
    what,
    cold: `${cold.status}, ${cold.ending}`,
    stale: `${stale.status}, ${stale.ending}, ${stale.cache ?? "no cache"}`,
    asked,
    next: `${next.status} ${next.cache ?? ""}`,
    stored,
    open,
    misses: fault.excused ? [] : misses,
    excused: fault.excused && misses.length > 0 ? `${misses.join("; ")}: ${fault.excused}` : null,
  };
}

/** Connections that the runtime may keep for reuse. */
const MAX_OPEN = 4;
const MAX_READ = 3 * 1024 * 1024;
/** ms; longer than a request waits for another request's fetch of the same URL (2 s). */
const MAX_READ_MS = 3000;

/** Reads an answer to its end, or until it breaks off. */
async function visit(
  { edge }: World,
  path: string,
  method = "GET",
): Promise<{ status: number; ending: Ending; body: string; cache: string | null }> {
  const abort = new AbortController();
  let given = false;
  const giveUp = () => {
    given = true;
    abort.abort();
  };
  let status = 0;
  let cache: string | null = null;
  let body = "";
  let ending: Ending = "whole";
  const timer = setTimeout(giveUp, MAX_READ_MS);
  try {
    const response = await edge.fetch(path, {
      method,
      signal: abort.signal,
      // Miniflare compresses for clients that accept it. A compressed body has no length to compare with.
      headers: { "accept-encoding": "identity" },
    });
    status = response.status;
    cache = response.headers.get("x-cache");
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      body += decoder.decode(chunk, { stream: true });
      if (body.length > MAX_READ) giveUp();
    }
  } catch {
    ending = given ? "aborted by the client" : "broken";
  } finally {
    clearTimeout(timer);
  }
  return { status, ending, body, cache };
}

/** URLs of which an answer is stored, or variants. A marker that notes a write is none. */
async function storedKeys({ upstash }: World): Promise<number> {
  return Number(await upstash.redis.command("EVAL", COUNT_ENTRIES, "0"));
}

const COUNT_ENTRIES = `
local count = 0
for _, key in ipairs(redis.call('KEYS', 'envoyou:cache:r:*')) do
  if redis.call('GET', key) == 'V' or redis.call('STRLEN', key) > 32 then count = count + 1 end
end
return count`;

/** The section of RESULTS.md. */
export function originReport(results: readonly OriginFaultResult[]): string {
  const missed = results.filter(({ misses }) => misses.length > 0);
  return [
    "## When the origin fails",
    "",
    "An origin that writes to the bare connection, behind a cached route with `stale-if-error`. *cold*: nothing is stored;",
    "*stale*: an answer is, and has run out; *next*: what the cold URL gives once the origin is well again, two seconds",
    "later: an answer of its own, never half of the old one. A stale answer cannot stand in for one that has begun.",
    "",
    "| the origin | cold | stale | asked | entries stored | next | connections left open |",
    "|---|---|---|---|---|---|---|",
    ...results.map(
      (each) =>
        `| ${each.name}: ${each.what} | ${each.cold} | ${each.stale} | ${each.asked} | ${each.stored} | ${each.next} | ${each.open} |`,
    ),
    "",
    ...missed.map(({ name, misses }) => `- **${name}** missed: ${misses.join("; ")}`),
    ...results.flatMap(({ name, excused }) => (excused ? [`- **${name}**: ${excused}`] : [])),
    ...(missed.length > 0 ? [""] : []),
  ].join("\n");
}
