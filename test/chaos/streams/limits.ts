import { type CapabilityName, mark, type Phase, phases } from "../cells.ts";
import { LIMIT } from "../world.ts";
import { ask, type Stream, type StreamOptions } from "./stream.ts";

interface Client {
  path: string;
  address: string;
  /** Requests in each phase. */
  sends: Record<Phase, number>;
  sent: number;
  admitted: number;
  /** The remaining units of the last answer. */
  remaining: number;
  over: number;
  under: number;
}

const PATHS = ["/limited/log", "/limited/window", "/limited/pair"];
/** Clients that send more than the limit, which must be refused, and clients that send less, which must not. */
const greedy = { before: 3, during: 5, after: 4 };
const frugal = { before: 2, during: 2, after: 2 };

/**
 * Clients with an address each and the same limit. The exact limiter admits the first ten requests of each. More is
 * over-admission; a refusal before that means that a request was charged twice.
 */
export class LimitsStream implements Stream {
  readonly capability: CapabilityName = "limits";
  readonly #options: StreamOptions;
  readonly #clients: Client[];

  constructor(options: StreamOptions) {
    this.#options = options;
    const count = Math.max(3, Math.round(options.requests.during / 4));
    const net = options.dice.upTo(256);
    this.#clients = Array.from({ length: count }, (_, index) => ({
      path: PATHS[index % PATHS.length] ?? "/limited/log",
      address: `100.${64 + (net % 64)}.${net}.${index}`,
      sends: index % 4 === 3 ? frugal : greedy,
      sent: 0,
      admitted: 0,
      remaining: LIMIT,
      over: 0,
      under: 0,
    }));
  }

  async prepare(): Promise<void> {}

  requests(phase: Phase): (() => Promise<void>)[] {
    const { world, cells, dice } = this.#options;
    const turns = dice.shuffled(
      this.#clients.flatMap((client) => Array<Client>(client.sends[phase]).fill(client)),
    );
    const sends = turns.map((client) => () => this.#send(client, phase));
    const closed = async () =>
      void (await ask(world, cells.limits[phase], "/closed", { closed: true, address: "100.127.0.1" }));
    return [closed, ...sends, closed];
  }

  async #send(client: Client, phase: Phase): Promise<void> {
    const cell = this.#options.cells.limits[phase];
    const { status, headers } = await ask(this.#options.world, cell, client.path, client);
    if (status !== 200 && status !== 429) return;
    client.sent += 1;
    if (status === 200) client.admitted += 1;
    const remaining = headers.get("x-ratelimit-remaining");
    if (remaining !== null) client.remaining = Number(remaining);
  }

  /** Call it when all requests of a phase are answered: it adds that phase's errors. */
  settle(phase: Phase): void {
    const cell = this.#options.cells.limits[phase];
    for (const client of this.#clients) {
      const due = Math.min(LIMIT, client.sent);
      const over = Math.max(0, client.admitted - due);
      const under = Math.max(0, due - client.admitted);
      const where = `${client.path}: ${client.admitted} of ${client.sent} admitted`;
      mark(cell, "over", where, over - client.over);
      mark(cell, "double", where, under - client.under);
      client.over = Math.max(client.over, over);
      client.under = Math.max(client.under, under);
    }
  }

  async finish(): Promise<void> {
    const cell = this.#options.cells.limits[phases[2]];
    for (const client of this.#clients) {
      if (client.sends !== frugal) continue;
      const charged = LIMIT - client.remaining;
      mark(cell, "double", `${client.path}: ${charged} charged for ${client.sent}`, charged - client.sent);
    }
  }
}
