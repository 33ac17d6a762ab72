import { inject } from "vitest";
import { createEdge } from "../../../src/create-edge.ts";
import type { EmittedEvent } from "../../../src/events/sink.ts";
import { freshPrefix } from "../limits.ts";

/** A test's own app asks as this address, where it says nothing else. */
export const FROM = { "cf-connecting-ip": "192.0.2.7" };

/** A busy machine is no outage. */
export const LONG_DEADLINE_MS = 10_000;

export const SESSION_SECRET = "session-secret-of-this-test-of-32-characters";

/** The middlewares of an edge with keys of its own in Redis, and what they log. */
export function edgeInRedis(more: Partial<NonNullable<Parameters<typeof createEdge>[0]>> = {}) {
  const events: EmittedEvent[] = [];
  const middlewares = createEdge({
    redis: { url: inject("upstashUrl"), token: inject("upstashToken") },
    secrets: { session: SESSION_SECRET, identity: "identity-secret-of-this-test-only" },
    limits: { prefix: `{${freshPrefix()}}` },
    sessions: { prefix: `{${freshPrefix()}}` },
    cache: { prefix: `{${freshPrefix()}}` },
    storeDeadlineMs: LONG_DEADLINE_MS,
    sinks: [{ receive: (event) => void events.push(event) }],
    ...more,
  });
  return { ...middlewares, events, lines: () => events.filter(({ event }) => event === "request") };
}

/** An ExecutionContext, and what waits for all its work. */
export function executionContext() {
  const works: Promise<unknown>[] = [];
  const context = { waitUntil: (work: Promise<unknown>) => void works.push(work), props: {} };
  async function settled(): Promise<void> {
    for (let done = 0; done < works.length; done = works.length) await Promise.all(works);
  }
  return { context: context as unknown as ExecutionContext, settled };
}

/** `+` admitted, `-` 429, else the status. */
export function sign({ status }: Response): string {
  if (status === 429) return "-";
  return status === 200 ? "+" : ` ${status} `;
}
