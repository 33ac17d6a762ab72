import { pause } from "./proxy.ts";
import { type Behaviour, head, type RawOrigin, startRawOrigin, wellBody } from "./raw-origin.ts";
import { openWorld, type World } from "./world.ts";

const DEADLINE_MS = 600;

/** How an answer ends at the client. `broken`: the connection or the body breaks off, and the client can tell. */
type Ending = "whole" | "broken" | "aborted by the client";

interface OriginFault {
  name: string;
  what: string;
  /** null: nobody listens. */
  behaviour: Behaviour | null;
  /** Where nothing is stored. */
  cold: { status: number; ending: Ending; body?: string };
  /** Where a stale answer is: it may stand in only for one that has not begun. */
  stale: "stands in" | "as cold";
  /** Requests that one request of a client makes. Default 1; what is refused is asked 0 times. */
  asked?: number;
}

export interface OriginFaultResult {
  name: string;
  what: string;
  cold: string;
  stale: string;
  asked: number;
  /** What the next client got, of an origin that is well again: never what the fault left behind. */
  next: string;
  stored: number;
  /** Connections to the origin that were still open two seconds later. */
  open: number;
  misses: string[];
}

const dead = { status: 502, ending: "whole" } as const;
const chunked = { "transfer-encoding": "chunked", "cache-control": "max-age=600" };
const sized = (length: number) => ({
  "content-length": String(length),
  "cache-control": "max-age=600",
});

export const originFaults: readonly OriginFault[] = [
  { name: "down", what: "nobody listens", behaviour: null, cold: dead, stale: "stands in", asked: 0 },
  {
    name: "silent",
    what: "closes without a byte",
    behaviour: (socket) => void socket.end(),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "reset",
    what: "resets the connection",
    behaviour: (socket) => void socket.resetAndDestroy(),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "garbage",
    what: "what it says is not HTTP",
    behaviour: (socket) => void socket.end("\u0001\u0002 no such protocol\r\n\r\n"),
    cold: dead,
    stale: "stands in",
  },
  {
    name: "slow",
    what: `no headers within the deadline (${DEADLINE_MS} ms)`,
    behaviour: () => {},
    cold: { status: 504, ending: "whole" },
    stale: "stands in",
  },
  {
    name: "late",
    what: "headers just in time",
    behaviour: (socket) => {
      setTimeout(() => socket.write(`${head(200, sized(4))}late`), DEADLINE_MS / 3);
    },
    cold: { status: 200, ending: "whole", body: "late" },
    stale: "as cold",
  },
  {
    name: "error",
    what: "500 of its own",
    behaviour: (socket) => void socket.write(`${head(500, { "content-length": "4" })}oops`),
    cold: { status: 500, ending: "whole", body: "oops" },
    stale: "stands in",
  },
  {
    name: "endless",
    what: "a body without an end, as fast as it goes",
    behaviour: (socket) => {
      socket.write(head(200, chunked));
      const chunk = `4000\r\n${"e".repeat(0x4000)}\r\n`;
      const more = () => {
        while (socket.writable && socket.write(chunk));
        if (socket.writable) socket.once("drain", more);
      };
      more();
    },
    cold: { status: 200, ending: "aborted by the client" },
    stale: "as cold",
  },
  {
    name: "drip",
    what: "a body without an end, a byte at a time",
    behaviour: (socket) => {
      socket.write(head(200, chunked));
      const timer = setInterval(() => socket.write("1\r\nd\r\n"), 20);
      socket.once("close", () => clearInterval(timer));
    },
    cold: { status: 200, ending: "aborted by the client" },
    stale: "as cold",
  },
  {
    name: "dies-sized",
    what: "half of the promised bytes, then a reset",
    behaviour: (socket) => {
      socket.write(head(200, sized(1000)) + "h".repeat(500));
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "dies-chunked",
    what: "some chunks, no last one, then a reset",
    behaviour: (socket) => {
      socket.write(`${head(200, chunked)}5\r\nhello\r\n`);
      setTimeout(() => socket.resetAndDestroy(), 50);
    },
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "too-short",
    what: "fewer bytes than `Content-Length` says, and an orderly end",
    behaviour: (socket) => void socket.end(head(200, sized(1000)) + "s".repeat(500)),
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "too-long",
    what: "more bytes than `Content-Length` says: another answer, smuggled behind the first",
    behaviour: (socket) =>
      void socket.write(
        `${head(200, { ...sized(5), "cache-control": "no-store" })}first${head(200, sized(6))}POISON`,
      ),
    cold: { status: 200, ending: "whole", body: "first" },
    stale: "as cold",
  },
  {
    name: "broken-gzip",
    what: "says gzip and is none",
    behaviour: (socket) =>
      void socket.write(`${head(200, { ...sized(9), "content-encoding": "gzip" })}not gzip!`),
    cold: { status: 200, ending: "broken" },
    stale: "as cold",
  },
  {
    name: "redirect-loop",
    what: "a redirect to where the request came from",
    behaviour: (socket, path) =>
      void socket.write(head(302, { location: path, "content-length": "0", "cache-control": "no-store" })),
    cold: { status: 302, ending: "whole" },
    stale: "as cold",
  },
];

/** Runs each against the built Worker, where nothing is stored and where something stale is. */
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
  const storedBefore = await storedKeys(world);
  if (fault.behaviour) origin.behave(fault.behaviour);
  else await origin.down();
  const askedBefore = origin.asked;
  const cold = await visit(world, coldPath);
  const asked = origin.asked - askedBefore;
  const stale = await visit(world, stalePath);
  origin.behave(null);
  await origin.up();
  await pause(2000);
  const open = origin.open;
  const stored = (await storedKeys(world)) - storedBefore;
  const next = await visit(world, coldPath);
  // The next fault begins on connections of its own.
  await origin.down();
  await origin.up();

  const whole = expected.ending === "whole" && expected.status === 200;
  const cacheable = whole && name === "late";
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
  }
  miss(!cacheable && stored !== 0, `${stored} entries were stored`);
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
    misses,
  };
}

const MOST_READ = 3 * 1024 * 1024;
/** Longer than the edge lets anybody wait for another client's answer (2 s). */
const LONGEST_READ_MS = 3000;

/** Reads an answer to its end, or until it is clear that it has none. */
async function visit(
  { edge }: World,
  path: string,
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
  const timer = setTimeout(giveUp, LONGEST_READ_MS);
  try {
    const response = await edge.fetch(path, { signal: abort.signal });
    status = response.status;
    cache = response.headers.get("x-cache");
    const decoder = new TextDecoder();
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      body += decoder.decode(chunk, { stream: true });
      if (body.length > MOST_READ) giveUp();
    }
  } catch {
    ending = given ? "aborted by the client" : "broken";
  } finally {
    clearTimeout(timer);
  }
  return { status, ending, body, cache };
}

async function storedKeys({ upstash }: World): Promise<number> {
  return Number(await upstash.redis.command("EVAL", "return #redis.call('KEYS', 'envoyou:cache:r:*')", "0"));
}

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
    ...(missed.length > 0 ? [""] : []),
  ].join("\n");
}
