import { startUpstashLocal, type UpstashLocal } from "../../../src/tools/upstash-local/index.ts";
import { startWorkerd } from "../../support/edge/workerd.ts";
import { commandsRun } from "../commands-run.ts";
import { idle } from "../compare/harness.ts";
import { startWire, type Wire } from "../compare/wire.ts";

/** What all apps share: one store over real Redis, and one connection to it that delays, hangs or refuses. */
export interface Store {
  wire: Wire;
  upstash: UpstashLocal;
  stop(): Promise<void>;
}

export async function openStore(): Promise<Store> {
  const upstash = await startUpstashLocal({ redis: "auto" });
  const wire = await startWire(upstash.url);
  return {
    wire,
    upstash,
    async stop() {
      await wire.stop();
      await upstash.stop();
    },
  };
}

export interface RunningApp {
  /** @returns the answer with its body read. A request without an answer within {@link MAX_WAIT_MS} is an error. */
  ask(path: string, init?: RequestInit): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Answer {
  status: number;
  headers: Headers;
  body: string;
  /** From the request to the end of the answer. */
  ms: number;
}

/** The client gives up after so long. */
export const MAX_WAIT_MS = 15_000;

/** Starts an app in an isolate of its own. */
export async function startApp(contents: string, { wire, upstash }: Store): Promise<RunningApp> {
  const bindings = {
    UPSTASH_REDIS_REST_URL: wire.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    SESSION_SECRET: "a-session-secret-of-the-bench-alone-0123",
  };
  const miniflare = startWorkerd({ contents, bindings, port: 0, onMessage: () => undefined });
  const base = await miniflare.ready;
  return {
    async ask(path, init) {
      const since = performance.now();
      const signal = AbortSignal.timeout(MAX_WAIT_MS);
      const response = await fetch(new URL(path, base), { ...init, signal });
      const { status, headers } = response;
      return { status, headers, body: await response.text(), ms: performance.now() - since };
    },
    stop: () => miniflare.dispose(),
  };
}

export interface Counts {
  /** Calls to Upstash that ended before the answer. */
  before: number;
  /** All calls, those after the answer included. */
  calls: number;
  /** Commands, those inside scripts included: what Upstash bills. */
  commands: number;
}

/** Looks in a row that must find no call: on a busy machine one that is made after the answer takes longer than one look. */
const LOOKS = 3;

/** What one request costs, 20 ms from the store: calls that end before the answer are those that the client waits for. */
export async function countsOf(store: Store, request: () => Promise<Answer>): Promise<Counts & Answer> {
  const { wire, upstash } = store;
  await idle(store, LOOKS);
  const calls = wire.answered;
  const commands = await commandsRun(upstash);
  wire.roundTripMs = 20;
  const answer = await request();
  const before = wire.answered - calls;
  await idle(store, LOOKS);
  wire.roundTripMs = 0;
  return {
    ...answer,
    before,
    calls: wire.answered - calls,
    commands: (await commandsRun(upstash)) - commands,
  };
}
