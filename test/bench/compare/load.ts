import { createConnection, type Socket } from "node:net";

export interface LoadOptions {
  port: number;
  /** How many clients send at the same time, each on its own connection. */
  clients: number;
  /** It ends after so many requests. Default: without end. */
  requests?: number;
  /** It starts no request after so many ms. Default: without end. */
  ms?: number;
  /** The bytes of the nth request. */
  request(n: number): string;
}

export interface LoadResult {
  /** ms from sending to the end of the answer, in the order of completion. */
  times: number[];
  statuses: Map<number, number>;
  /** The `X-Cache` of the answers, in lower case. */
  words: Map<string, number>;
  seconds: number;
}

/**
 * Sends the next request when an answer is complete. It parses only what it needs to find the end of an answer, because the
 * client shares the cores with what it measures.
 */
export async function load({
  port,
  clients,
  requests = Number.POSITIVE_INFINITY,
  ms = Number.POSITIVE_INFINITY,
  request,
}: LoadOptions): Promise<LoadResult> {
  const times: number[] = [];
  const statuses = new Map<number, number>();
  const words = new Map<string, number>();
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: clients }, async () => {
      let connection: Connection | null = null;
      while (next < requests && performance.now() - startedAt < ms) {
        const text = request(next);
        next += 1;
        const since = performance.now();
        connection ??= new Connection(port);
        const answer = await connection.ask(text);
        times.push(performance.now() - since);
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        if (answer.word) words.set(answer.word, (words.get(answer.word) ?? 0) + 1);
        if (answer.ended) connection = null;
      }
      connection?.close();
    }),
  );
  return { times, statuses, words, seconds: (performance.now() - startedAt) / 1000 };
}

/** One request. */
export function ask(port: number, request: string): Promise<LoadResult> {
  return load({ port, clients: 1, requests: 1, request: () => request });
}

/** The client gives up after this long; the status is then 0. */
export const MAX_WAIT_MS = 15_000;

interface Answer {
  status: number;
  word: string | null;
  ended: boolean;
}

class Connection {
  readonly #socket: Socket;
  #text = "";
  #resolve: ((answer: Answer) => void) | null = null;

  constructor(port: number) {
    this.#socket = createConnection(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (chunk: string) => {
      this.#text += chunk;
      this.#look();
    });
    const gone = () => this.#finish({ status: 0, word: null, ended: true });
    this.#socket.on("close", gone);
    this.#socket.on("error", gone);
  }

  ask(request: string): Promise<Answer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), MAX_WAIT_MS);
      this.#resolve = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
      this.#text = "";
      this.#socket.write(request, "latin1");
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #look(): void {
    const text = this.#text;
    const end = text.indexOf("\r\n\r\n");
    if (end === -1) return;
    const fields = text.slice(0, end).toLowerCase();
    const length = fieldIn(fields, "content-length");
    const chunked = length === null && fields.includes("transfer-encoding: chunked");
    const whole = chunked ? text.endsWith("0\r\n\r\n") : text.length >= end + 4 + Number(length ?? 0);
    if (!whole) return;
    const status = Number(text.slice(9, 12));
    this.#finish({ status, word: fieldIn(fields, "x-cache"), ended: fields.includes("connection: close") });
  }

  #finish(answer: Answer): void {
    this.#resolve?.(answer);
    this.#resolve = null;
  }
}

function fieldIn(fields: string, name: string): string | null {
  const at = fields.indexOf(`\r\n${name}: `);
  if (at === -1) return null;
  const from = at + name.length + 4;
  const end = fields.indexOf("\r\n", from);
  return fields.slice(from, end === -1 ? undefined : end);
}
