import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { onFreePort } from "../../src/tools/ports.ts";
import type { Dice } from "../support/dice.ts";

export interface Answer {
  status: number;
  type: string;
  body: string;
}

/** One call of the Worker to its store, as a fault sees it. */
export interface ProxyCall {
  /** Number of the call since the treatment began, from 0. */
  readonly number: number;
  /** Number of the connection since the treatment began, from 0, and whether this is the connection's first call. */
  readonly connection: number;
  readonly firstOnConnection: boolean;
  /** It is a PING alone. */
  readonly probe: boolean;
  readonly body: string;
  readonly dice: Dice;
  /** Passes the call to the store and returns its answer. Throws when the store cannot be reached. */
  forward(): Promise<Answer>;
  reply(answer: Answer): void;
  /** Sends the bytes of an answer, with a pause of `pauseMs` between two of them. */
  drip(answer: Answer, pauseMs: number): Promise<void>;
  /** Resets the connection (RST). */
  reset(): void;
}

export type Treatment = (call: ProxyCall) => void | Promise<void>;

/** What the proxy counted since its last reset. */
export interface ProxyCounts {
  calls: number;
  /** Calls of a PING alone: the breaker's probes. */
  probes: number;
  /** When each of the others arrived, ms since the epoch. */
  others: number[];
  probesSinceLifted: number;
  mostProbesAtOnce: number;
}

/** Request fields that reach the target; `mf-url` is where Miniflare says what a binding was asked. */
const PASSED = ["authorization", "upstash-sync-token", "upstash-encoding", "mf-url"];

const passOn: Treatment = async (call) => call.reply(await call.forward());

/**
 * A proxy between the Worker and its store. It applies a fault to the calls; without one it forwards them.
 */
export class FaultProxy {
  readonly #target: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #connections = new WeakMap<Socket, number>();
  readonly #used = new WeakSet<Socket>();
  #treatment: Treatment = passOn;
  #dice: Dice | undefined;
  #connectionCount = 0;
  #callCount = 0;
  #port = 0;
  #probing = 0;
  #lifted = true;
  #counts: ProxyCounts = noCounts();

  constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => void this.#take(request, response));
    this.#server.keepAliveTimeout = 300_000;
    this.#server.on("connection", (socket) => {
      this.#connections.set(socket, this.#connectionCount);
      this.#connectionCount += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => {});
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get counts(): Readonly<ProxyCounts> {
    return this.#counts;
  }

  forget(): void {
    this.#counts = noCounts();
  }

  /** Listens on 127.0.0.1, on the port it had before if it had one. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    if (this.#port === 0) await onFreePort((port) => this.#listen(port));
    else await this.#listen(this.#port);
  }

  async #listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, "127.0.0.1", resolve);
    });
    this.#port = port;
  }

  /** Stops listening: new connections are refused, open ones are reset. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
  }

  /** Applies a treatment to the calls from now on. Open connections stay open. */
  treat(treatment: Treatment, dice: Dice): void {
    this.#treatment = treatment;
    this.#dice = dice;
    this.#connectionCount = 0;
    this.#callCount = 0;
  }

  /** Starts the fault: probes from now on do not count as those after it. */
  begin(): void {
    this.#lifted = false;
  }

  /** Ends the fault: calls are forwarded, or get the treatment for afterwards. */
  lift(treatment: Treatment = passOn): void {
    this.#treatment = treatment;
    this.#lifted = true;
    this.#counts.probesSinceLifted = 0;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    // Miniflare tries a WebSocket first for each call of a binding. It does without one.
    if (request.method === "GET") return void response.writeHead(404).end();
    const number = this.#callCount;
    this.#callCount += 1;
    const firstOnConnection = !this.#used.has(socket);
    this.#used.add(socket);
    response.on("error", () => {});
    let body = "";
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString("utf8");
    } catch {
      return;
    }
    const probe = body === '[["PING"]]' || body === '[["ping"]]';
    this.#count(probe);
    response.once("close", () => {
      if (probe) this.#probing -= 1;
    });
    const call: ProxyCall = {
      number,
      connection: this.#connections.get(socket) ?? 0,
      firstOnConnection,
      probe,
      body,
      dice: this.#dice ?? unrolled,
      forward: () => this.#forward(request, body),
      reply: ({ status, type, body: text }) => {
        if (response.destroyed) return;
        response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
        response.end(text);
      },
      async drip({ status, type, body: text }, pauseMs) {
        response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(text) });
        for (const byte of Buffer.from(text)) {
          if (response.destroyed) return;
          response.write(Buffer.of(byte));
          await pause(pauseMs);
        }
        response.end();
      },
      reset: () => socket.resetAndDestroy(),
    };
    try {
      await this.#treatment(call);
    } catch {
      // The store is gone: the caller sees a connection reset.
      socket.resetAndDestroy();
    }
  }

  #count(probe: boolean): void {
    const counts = this.#counts;
    counts.calls += 1;
    if (!probe) return void counts.others.push(Date.now());
    this.#probing += 1;
    counts.probes += 1;
    if (this.#lifted) counts.probesSinceLifted += 1;
    counts.mostProbesAtOnce = Math.max(counts.mostProbesAtOnce, this.#probing);
  }

  async #forward({ url, headers }: IncomingMessage, body: string): Promise<Answer> {
    const passed: Record<string, string> = { "content-type": "application/json" };
    for (const name of PASSED) {
      const value = headers[name];
      if (typeof value === "string") passed[name] = value;
    }
    const response = await fetch(`${this.#target}${url ?? "/"}`, { method: "POST", headers: passed, body });
    return {
      status: response.status,
      type: response.headers.get("content-type") ?? "application/json",
      body: await response.text(),
    };
  }
}

function noCounts(): ProxyCounts {
  return { calls: 0, probes: 0, others: [], probesSinceLifted: 0, mostProbesAtOnce: 0 };
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const unrolled: Dice = {
  roll: () => 0,
  upTo: () => 0,
  pick: ([first]) => {
    if (first === undefined) throw new RangeError("There is nothing to pick from");
    return first;
  },
  chance: () => false,
  shuffled: (items) => [...items],
};
