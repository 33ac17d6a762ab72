import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CommandRunner, type JsonCommand } from "./commands.ts";
import { RedisConnection } from "./connection.ts";
import { RespError } from "./resp.ts";
import { type RestReply, restReply } from "./values.ts";

export interface EndpointOptions {
  /** 0 = any free port. */
  port: number;
  token: string;
  /** Where Redis listens on loopback, asked at each request: a test may move it. */
  redisPort: number;
}

/** One HTTP call as it arrived, for tests that count. */
export interface EndpointCall {
  path: string;
  commands: JsonCommand[];
  syncToken: string | undefined;
}

const LARGEST_BODY = 10 * 1024 * 1024;
/** Calls that are remembered; older ones are forgotten. */
const MOST_CALLS = 10_000;

/** Upstash's REST protocol over one Redis. It stays up when Redis does not: every call is then a 500 at once. */
export class Endpoint {
  readonly #options: EndpointOptions;
  readonly #runner = new CommandRunner();
  readonly #connection: RedisConnection;
  readonly #server: Server;
  #calls: EndpointCall[] = [];
  #synced = 0;

  constructor(options: EndpointOptions) {
    this.#options = options;
    this.#connection = new RedisConnection(options.redisPort);
    this.#server = createServer((request, response) => {
      this.#answer(request).then(
        ({ status, body }) => this.#write(response, status, body),
        () => this.#write(response, 500, { error: "ERR the local endpoint failed" }),
      );
    });
  }

  /** The calls since the last {@link resetCalls}, oldest first. */
  get calls(): readonly EndpointCall[] {
    return this.#calls;
  }

  resetCalls(): void {
    this.#calls = [];
  }

  /** Listens on 127.0.0.1 only. @returns the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, "127.0.0.1", resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#connection.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    if (!authorised(request.headers.authorization, this.#options.token)) {
      request.resume();
      return { status: 401, body: { error: "WRONGPASS invalid or missing auth token" } };
    }
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    if (path !== "/" && path !== "/pipeline" && path !== "/multi-exec") {
      request.resume();
      return { status: 404, body: { error: "ERR unknown path: use /, /pipeline or /multi-exec" } };
    }
    if (request.method !== "POST") {
      request.resume();
      return { status: 405, body: { error: "ERR only POST is served here" } };
    }
    const text = await bodyOf(request);
    if (text === null) return { status: 413, body: { error: "ERR max request size exceeded" } };
    const commands = commandsOf(text, path === "/");
    if (typeof commands === "string") return { status: 400, body: { error: commands } };

    const syncToken = header(request, "upstash-sync-token");
    this.#calls.push({ path, commands, syncToken });
    if (this.#calls.length > MOST_CALLS) this.#calls.shift();
    const base64 = header(request, "upstash-encoding") === "base64";
    try {
      return await this.#run(path, commands, base64);
    } catch (error) {
      return {
        status: 500,
        body: { error: `ERR ${error instanceof Error ? error.message : "Redis failed"}` },
      };
    }
  }

  async #run(
    path: string,
    commands: JsonCommand[],
    base64: boolean,
  ): Promise<{ status: number; body: unknown }> {
    if (path === "/multi-exec") {
      // A connection of its own: another request's commands must not get into the transaction.
      const connection = new RedisConnection(this.#options.redisPort);
      try {
        const replies = await this.#runner.transaction(connection, commands);
        if (replies instanceof RespError) return { status: 400, body: { error: replies.message } };
        return { status: 200, body: replies.map((reply) => restReply(reply, base64)) };
      } finally {
        connection.close();
      }
    }
    const replies = (await this.#runner.pipeline(this.#connection, commands)).map((reply) =>
      restReply(reply, base64),
    );
    if (path === "/pipeline") return { status: 200, body: replies };
    const [only = { error: "ERR no reply" }] = replies as RestReply[];
    return { status: "error" in only ? 400 : 200, body: only };
  }

  #write(response: ServerResponse, status: number, body: unknown): void {
    this.#synced += 1;
    response.writeHead(status, {
      "content-type": "application/json",
      "upstash-sync-token": `local-${this.#synced}`,
    });
    response.end(JSON.stringify(body));
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function authorised(presented: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented ?? ""), digest(`Bearer ${token}`));
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The commands of a body, or what is wrong with it. */
function commandsOf(text: string, single: boolean): JsonCommand[] | string {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return "ERR failed to parse the request body as JSON";
  }
  const commands: unknown = single ? [body] : body;
  if (!Array.isArray(commands) || commands.length === 0) return "ERR the body must be a list of commands";
  for (const command of commands as unknown[]) {
    if (!Array.isArray(command) || command.length === 0) return "ERR a command must be a list, and not empty";
  }
  return commands as JsonCommand[];
}
