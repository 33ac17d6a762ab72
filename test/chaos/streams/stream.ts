import type { Dice } from "../../support/dice.ts";
import type { CapabilityName, Cell, Cells, Phase, Sample } from "../cells.ts";
import type { World } from "../world.ts";

/** What a capability's traffic needs. */
export interface StreamOptions {
  world: World;
  cells: Cells;
  dice: Dice;
  /** A name for the run, so that no two runs share a key. */
  run: string;
  /** Requests per phase, about. */
  requests: Record<Phase, number>;
}

/** The traffic of one capability: its requests, and the answers expected. */
export interface Stream {
  readonly capability: CapabilityName;
  /** Prepares what the first phase needs. */
  prepare(): Promise<void>;
  /** The requests of a phase in order. Calling one sends it. */
  requests(phase: Phase): (() => Promise<void>)[];
  /** Checks what must hold after the fault, in a new isolate. */
  finish(): Promise<void>;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: string;
}

/** Sends a request, measures it, and records the answer in the cell. A broken connection counts as status 599. */
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
