import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { startUpstashLocal, type UpstashLocal } from "../../../src/tools/upstash-local/index.ts";
import { commandsRun } from "../commands-run.ts";
import {
  type Contestant,
  type ContestantName,
  installPeers,
  isEdge,
  startContestant,
} from "./contestants.ts";
import { ask, type LoadResult, load } from "./load.ts";
import { beginFilling, type Counts, type Row } from "./rows.ts";
import { startWire, type Wire } from "./wire.ts";

/** What the contestants share: one store over real Redis, one connection to it with a set delay, one origin without delay. */
export interface Harness {
  wire: Wire;
  upstash: UpstashLocal;
  originUrl: string;
  contestants: Map<ContestantName, Contestant>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  keepNames?: boolean;
  bundles?: Partial<Record<ContestantName, string>>;
}

/** On a busy machine a deferred write takes longer than one look, and would count as the next request's. */
const COUNTED_LOOKS = 3;

const BODY = JSON.stringify({ rows: Array.from({ length: 12 }, (_, n) => ({ n, name: `row ${n}` })) });

/** @param options `keepNames`: see {@link startContestant}; `bundles`: paths of those that are built already. */
export async function openHarness(
  names: readonly ContestantName[],
  { keepNames = false, bundles = {} }: HarnessOptions = {},
): Promise<Harness> {
  if (!names.every(isEdge)) installPeers();
  const upstash = await startUpstashLocal({ redis: "auto" });
  const wire = await startWire(upstash.url);
  const origin = createServer((request, response) => {
    request.resume();
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(BODY),
      "cache-control": "max-age=600",
    });
    response.end(BODY);
  });
  origin.keepAliveTimeout = 300_000;
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  const originUrl = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  const contestants = new Map<ContestantName, Contestant>();
  for (const name of names) {
    const options = { storeUrl: wire.url, storeToken: upstash.token, originUrl, keepNames };
    contestants.set(name, await startContestant(name, { ...options, bundle: bundles[name] }));
  }
  return {
    wire,
    upstash,
    originUrl,
    contestants,
    async stop() {
      for (const contestant of contestants.values()) await contestant.stop();
      origin.closeAllConnections();
      origin.close();
      await wire.stop();
      await upstash.stop();
    },
  };
}

/** Makes what a row's requests need: entries in Redis and an empty isolate, or what one request leaves. */
export async function prepare(
  harness: Harness,
  row: Row,
  contestant: Contestant,
  filled: number,
): Promise<void> {
  const { port } = contestant;
  if (row.before === "fill" || row.before === "fill and restart") {
    beginFilling(contestant);
    for (let from = 0; from < filled; from += MAX_AT_ONCE) {
      const requests = Math.min(MAX_AT_ONCE, filled - from);
      const { again } = await askFor(row, contestant, { clients: 8, from, requests });
      await again();
    }
  }
  if (row.before === "fill and restart") {
    await idle(harness);
    await contestant.restart();
    // One more entry, so that the connection to the store and the script are there before the measured ones.
    await ask(port, row.request(contestant, filled));
  } else if (row.before === "ask once") {
    // Twice: a caller is over a limit of one at the second.
    for (let n = 0; n < 2; n += 1) await ask(port, row.request(contestant, n));
  }
  await idle(harness);
}

/** Requests that are sent before those of them that are asked for again: fewer than an isolate stores at once. */
export const MAX_AT_ONCE = 500;

/** Sends the requests of a row from the nth on. `again` sends those that the row asks for again. */
export async function askFor(
  row: Row,
  contestant: Contestant,
  { clients, from, ...until }: { clients: number; from: number } & ({ ms: number } | { requests: number }),
): Promise<{ found: LoadResult; again(): Promise<void> }> {
  const { port } = contestant;
  const sent: string[] = [];
  const request = (n: number) => {
    const text = row.request(contestant, from + n);
    sent.push(text);
    return text;
  };
  const found = await load({ port, clients, ...until, request });
  return {
    found,
    async again() {
      if (row.askedAgain) await load({ port, clients, requests: sent.length, request: (n) => sent[n] ?? "" });
    },
  };
}

/** Sends one request at a time, 20 ms from the store: calls that end before the response are critical. */
export async function countOne(
  harness: Harness,
  row: Row,
  contestant: Contestant,
  requests: number,
): Promise<Counts[]> {
  const { wire, upstash } = harness;
  // A session is touched once a minute, after a response: a young one is not.
  await contestant.signIn();
  await prepare(harness, row, contestant, requests);
  await idle(harness, COUNTED_LOOKS);
  wire.roundTripMs = 20;
  const counts: Counts[] = [];
  for (let n = 0; n < requests; n += 1) {
    const before = { answered: wire.answered, commands: await commandsRun(upstash) };
    const { statuses } = await ask(contestant.port, row.request(contestant, n));
    const critical = wire.answered - before.answered;
    await idle(harness, COUNTED_LOOKS);
    if (!statuses.has(row.status)) {
      throw new Error(`${contestant.name}, ${row.name}: ${[...statuses.keys()]} in place of ${row.status}`);
    }
    counts.push({
      critical,
      calls: wire.answered - before.answered,
      commands: (await commandsRun(upstash)) - before.commands,
    });
  }
  wire.roundTripMs = 0;
  return counts;
}

export interface Run extends LoadResult {
  /** ms of CPU of the contestant's runtime, per request. */
  cpuMs: number;
}

export async function runOnce(
  harness: Harness,
  row: Row,
  contestant: Contestant,
  { clients, requests, roundTripMs }: { clients: number; requests: number; roundTripMs: number },
): Promise<Run> {
  harness.wire.roundTripMs = 0;
  await prepare(harness, row, contestant, requests);
  harness.wire.roundTripMs = roundTripMs;
  harness.wire.exact = clients === 1;
  const before = await contestant.cpuMs();
  const { found, again } = await askFor(row, contestant, { clients, from: 0, requests });
  await idle(harness);
  const cpuMs = ((await contestant.cpuMs()) - before) / requests;
  harness.wire.roundTripMs = 0;
  await again();
  return { ...found, cpuMs };
}

/**
 * Waits until the store has answered nothing for a while: deferred writes are then done.
 *
 * @param looks How many looks in a row must find nothing new. Default 1.
 */
export async function idle({ wire }: Pick<Harness, "wire">, looks = 1): Promise<void> {
  let seen = -1;
  for (let quiet = 0; quiet < looks; quiet = seen === wire.answered ? quiet + 1 : 0) {
    seen = wire.answered;
    await new Promise((resolve) => setTimeout(resolve, 60 + wire.roundTripMs));
  }
}
