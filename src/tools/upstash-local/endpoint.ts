import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type ParsedBody, parseBody } from "./body.ts";
import { isFromBrowser } from "./callers.ts";
import { CommandRunner } from "./commands.ts";
import { type RedisAddress, RedisConnection } from "./connection.ts";
import { pathCommand, TOKEN_PARAMETER } from "./path-command.ts";
import { type Command, RespError } from "./resp.ts";
import { restReply } from "./values.ts";

export interface EndpointOptions {
  /** 0 = any free port. */
  port: number;
  token: string;
  redis: RedisAddress;
}

/** One accepted HTTP call, for tests that count calls. */
export interface EndpointCall {
  /** Its path: `/pipeline`, `/multi-exec`, `/`, or a command in the path. */
  path: string;
  /** Commands with their arguments as Redis gets them (bytes that are no text as UTF-8); scripts as the caller sent them. */
  commands: string[][];
  /** What the caller sent as `Upstash-Sync-Token`. */
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
    const { pathname, query } = addressOf(request);
    const refused = this.#refusal(request, pathname, query);
    if (refused) {
      request.resume();
      return refused;
    }
    const body = await bodyOf(request);
    if (body === null) return failure(413, "ERR max request size exceeded");
    const parsed = parsedCommands(pathname, query, body);
    if (parsed.kind === "malformed") return failure(400, parsed.error);

    const { commands } = parsed;
    const shown = commands.map((command) => command.map(String));
    this.#calls.push({ path: pathname, commands: shown, syncToken: header(request, "upstash-sync-token") });
    if (this.#calls.length > MAX_CALLS) this.#calls.shift();
    try {
      return await this.#run(pathname, commands, header(request, "upstash-encoding") === "base64");
    } catch (error) {
      return failure(500, `ERR ${error instanceof Error ? error.message : "Redis failed"}`);
    }
  }

  /** What is refused before its body is read. */
  #refusal({ headers, method }: IncomingMessage, pathname: string, query: URLSearchParams): Answer | null {
    if (isFromBrowser(headers)) return failure(403, "ERR a request of a browser is not served here");
    const presented = headers.authorization ?? `Bearer ${query.get(TOKEN_PARAMETER) ?? ""}`;
    if (!authorised(presented, this.#options.token))
      return failure(401, "WRONGPASS invalid or missing auth token");
    const methods = IN_BODY.has(pathname) ? ["POST", "PUT"] : ["GET", "HEAD", "POST", "PUT"];
    if (methods.includes(method ?? "")) return null;
    return failure(405, `ERR use ${methods.join(", ")} here`);
  }

  async #run(path: string, commands: readonly Command[], base64: boolean): Promise<Answer> {
    if (path === "/multi-exec") return this.#transaction(commands, base64);
    const replies = await this.#runner.pipeline(this.#connection, commands);
    const items = replies.map((reply) => restReply(reply, base64));
    if (path === "/pipeline") return { status: 200, body: items };
    const [only = { error: "ERR no reply" }] = items;
    return { status: "error" in only ? 400 : 200, body: only };
  }

  /** Uses its own connection, so that no other request's commands join the transaction. */
  async #transaction(commands: readonly Command[], base64: boolean): Promise<Answer> {
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
    const text = JSON.stringify(body);
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(text),
      "upstash-sync-token": header(request, "upstash-sync-token") || `local-${this.#answered}`,
    });
    response.end(text);
  }
}

/** Where commands are in the body, as JSON. At every other path the command is in the path. */
const IN_BODY: ReadonlySet<string> = new Set(["/", "/pipeline", "/multi-exec"]);

/** The path as it was sent: a parser of URLs would take `..` and `//`, which may stand in keys, for steps. */
function addressOf({ url = "/" }: IncomingMessage): { pathname: string; query: URLSearchParams } {
  const at = url.indexOf("?");
  const [pathname, query] = at === -1 ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  return { pathname, query: new URLSearchParams(query) };
}

function parsedCommands(pathname: string, query: URLSearchParams, body: Buffer): ParsedBody {
  if (!IN_BODY.has(pathname)) return pathCommand(pathname, query, body);
  return parseBody(body.toString("utf8"), pathname === "/");
}

const failure = (status: number, error: string): Answer => ({ status, body: { error } });

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Compares digests: they have one length, so that the time does not depend on the token's length. */
function authorised(presented: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(presented), digest(`Bearer ${token}`));
}

/** Null when it is too large. It is read to its end all the same, because a client that still sends reads no answer. */
async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= LARGEST_BODY) chunks.push(chunk);
  }
  return size > LARGEST_BODY ? null : Buffer.concat(chunks);
}
