import { inject } from "vitest";
import { createEvents } from "../../src/events/events.ts";
import type { LogFields } from "../../src/events/sink.ts";
import { Store } from "../../src/store/store.ts";
import { testPlatform } from "./platform.ts";

interface Call {
  path: string;
  commands: unknown[][];
  headers: Headers;
}

/** A store whose network returns the given answer, and the calls that it made. */
export function storeWith(answer: (commands: unknown[][], call: number) => Response | Promise<Response>) {
  const calls: Call[] = [];
  const lines: { event: string; fields: LogFields }[] = [];
  const platform = testPlatform({
    async fetch(input, init) {
      const call = callOf(input, init);
      calls.push(call);
      return answer(call.commands, calls.length);
    },
  });
  const events = createEvents({
    platform,
    write: (_level, line) => {
      const { event, ...fields } = JSON.parse(line) as { event: string };
      lines.push({ event, fields });
    },
  });
  const connection = { url: "https://store.example", token: "a-token-of-the-test" };
  return { store: new Store({ connection, platform, events }), platform, calls, lines };
}

/** A store on a real endpoint, and the calls that it made. Its time is fixed, so no deadline passes. */
export function storeOnRedis(url: string, token: string) {
  const calls: Call[] = [];
  const platform = testPlatform({
    fetch(input, init) {
      calls.push(callOf(input, init));
      return fetch(input, init);
    },
  });
  const events = createEvents({ platform, write: () => {} });
  return { store: new Store({ connection: { url, token }, platform, events }), platform, calls };
}

/** The run's Redis as the tests see it: with commands that the Worker's token may not run. */
export function storeOfOwner() {
  return storeOnRedis(inject("ownerUrl"), inject("ownerToken"));
}

function callOf(input: RequestInfo | URL, init?: RequestInit): Call {
  const url = input instanceof Request ? input.url : String(input);
  const commands = JSON.parse(String(init?.body)) as unknown[][];
  return { path: new URL(url).pathname, commands, headers: new Headers(init?.headers) };
}

export const ok = (...results: unknown[]) => Response.json(results.map((result) => ({ result })));

/** Sends a batch that reads one key and that a request waits for. */
export async function ask(store: Store) {
  const batch = store.batch(() => {});
  void batch.read("a");
  await batch.send();
  return batch;
}

/** Runs all pending microtasks, without advancing the time. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 50; i += 1) await undefined;
}
