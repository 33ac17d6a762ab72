import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { parseBody } from "./body.ts";
import { CommandRunner } from "./commands.ts";
import { type RedisAddress, RedisConnection } from "./connection.ts";
import { RespError } from "./resp.ts";
import { restReply } from "./values.ts";

export interface EndpointOptions {
  /** 0 = any free port. */
  port: number;
  token: string;
  redis: RedisAddress;
}

/** One accepted HTTP call, for tests that count calls. */
export interface EndpointCall {
  path: string;
  /** Commands with their arguments as Redis gets them; scripts as the caller sent them. */
  commands: string[][];
  syncToken: string | undefined;
}

interface Answer {
  status: number;
  body: unknown;
}

/** Bytes; the limit of Upstash's smaller plans. */
const LARGEST_BODY = 10 * 1024 * 1024;
/** How many calls are kept; older ones are dropped. */
const MAX_CALLS = 10_000;

/** Upstash's REST protocol over one Redis. Without Redis it keeps running and answers every call with 500 at once. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #runner = new CommandRunner();
  readonly #connection: RedisConnection;
  readonly #server: Server;
  #calls: EndpointCall[] = [];
  #answered = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#connection = new RedisConnection(options.redis);
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        (answer) => this.#write(request, response, answer),
        () => this.#write(request, response, failure(500, "ERR the local endpoint failed")),
      );
    });
    // Node's default of five seconds would close idle connections while a client sends on them.
    this.#server.keepAliveTimeout = 300_000;
  }

  /** The calls since the last {@link resetCalls}, oldest first. */
  get calls(): readonly EndpointCall[] {
    return this.#calls;
  }

  resetCalls(): void {
    this.#calls = [];
  }

  /** Drops its connection to a Redis that has ended; the next call opens another. */
  disconnect(): void {
    this.#connection.close();
  }

  /** Listens on 127.0.0.1 only. @returns the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, "127.0.0.1", resolve);
    });
    const address = this.#server.address();
    return typeof address === "object" && address ? address.port : this.#options.port;
  }

  async close(): Promise<void> {
    this.#connection.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (!authorised(request.headers.authorization, this.#options.token)) {
      request.resume();
      return failure(401, "WRONGPASS invalid or missing auth token");
    }
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    if (path !== "/" && path !== "/pipeline" && path !== "/multi-exec") {
      request.resume();
      return failure(404, "ERR unknown path: use /, /pipeline or /multi-exec");
    }
    if (request.method !== "POST") {
      request.resume();
      return failure(405, "ERR only POST is served here");
    }
    const text = await bodyOf(request);
    if (text === null) return failure(413, "ERR max request size exceeded");
    const parsed = parseBody(text, path === "/");
    if (parsed.kind === "malformed") return failure(400, parsed.error);

    this.#calls.push({ path, commands: parsed.commands, syncToken: header(request, "upstash-sync-token") });
    if (this.#calls.length > MAX_CALLS) this.#calls.shift();
    try {
      return await this.#run(path, parsed.commands, header(request, "upstash-encoding") === "base64");
    } catch (error) {
      return failure(500, `ERR ${error instanceof Error ? error.message : "Redis failed"}`);
    }
  }

  async #run(path: string, commands: string[][], base64: boolean): Promise<Answer> {
    if (path === "/multi-exec") return this.#transaction(commands, base64);
    const replies = await this.#runner.pipeline(this.#connection, commands);
    const items = replies.map((reply) => restReply(reply, base64));
    if (path === "/pipeline") return { status: 200, body: items };
    const [only = { error: "ERR no reply" }] = items;
    return { status: "error" in only ? 400 : 200, body: only };
  }

  /** Uses its own connection, so that no other request's commands join the transaction. */
  async #transaction(commands: string[][], base64: boolean): Promise<Answer> {
    const connection = new RedisConnection(this.#options.redis);
    try {
      const replies = await this.#runner.transaction(connection, commands);
      if (replies instanceof RespError) return failure(400, replies.message);
      return { status: 200, body: replies.map((reply) => restReply(reply, base64)) };
    } finally {
      connection.close();
    }
  }

  #write(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
    this.#answered += 1;
    response.writeHead(status, {
      "content-type": "application/json",
      "upstash-sync-token": header(request, "upstash-sync-token") || `local-${this.#answered}`,
    });
    response.end(JSON.stringify(body));
  }
}

const failure = (status: number, error: string): Answer => ({ status, body: { error } });

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Compares digests: they have one length, so that the time does not depend on the token's length. */
function authorised(presented: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented ?? ""), digest(`Bearer ${token}`));
}

/** Null when it is too large. It is read to its end all the same, because a client that still sends reads no answer. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= LARGEST_BODY) chunks.push(chunk);
  }
  return size > LARGEST_BODY ? null : Buffer.concat(chunks).toString("utf8");
}
