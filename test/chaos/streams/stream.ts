import type { CapabilityName, Cell, Cells, Phase, Sample } from "../cells.ts";
import type { Dice } from "../dice.ts";
import type { World } from "../world.ts";

/** What a capability's traffic needs to know. */
export interface StreamOptions {
  world: World;
  cells: Cells;
  dice: Dice;
  /** Names what this run makes, so that no two runs share a key. */
  run: string;
  /** Requests per phase, about. */
  requests: Record<Phase, number>;
}

/** The traffic of one capability: what is sent, and what should come back. */
export interface Stream {
  readonly capability: CapabilityName;
  /** What must be there before the first phase. */
  prepare(): Promise<void>;
  /** The requests of a phase, in their order; each is sent when it is called. */
  requests(phase: Phase): (() => Promise<void>)[];
  /** The fault is over and a new isolate runs: what must still be true. */
  finish(): Promise<void>;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends a request, measures it, and puts what was seen into the cell. A broken connection is a status of 599. */
export async function ask(
  { edge }: World,
  cell: Cell | null,
  path: string,
  init: RequestInit & { address?: string; closed?: boolean } = {},
): Promise<Reply> {
  const { closed = false, ...request } = init;
  const startedAt = Date.now();
  const from = performance.now();
  let reply: Reply;
  try {
    const response = await edge.fetch(path, request);
    reply = { status: response.status, headers: response.headers, body: await response.text() };
  } catch {
    reply = { status: 599, headers: new Headers(), body: "" };
  }
  const sample: Sample = {
    startedAt,
    ms: performance.now() - from,
    status: reply.status,
    requestId: reply.headers.get("x-request-id"),
    closed,
  };
  cell?.samples.push(sample);
  return reply;
}
