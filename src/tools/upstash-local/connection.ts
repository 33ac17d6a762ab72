import { connect, type Socket } from "node:net";
import { type Command, encodeCommand, RespError, RespParser, type RespReply } from "./resp.ts";

/** Where a Redis listens, and what to send first on a connection. */
export interface RedisAddress {
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Sent on every new connection before anything else: AUTH, SELECT. */
  greeting?: readonly Command[];
}

/** Redis cannot be reached, or the connection broke during a command, which may or may not have run. */
export class RedisUnreachableError extends Error {
  override readonly name = "RedisUnreachableError";
  readonly code = "redis-unreachable";
}

interface Waiting {
  resolve(reply: RespReply): void;
  reject(error: Error): void;
}

/** A socket and the calls that wait for its replies. When the socket breaks, only these fail. */
interface Link {
  socket: Socket;
  waiting: Waiting[];
}

/**
 * One connection to Redis. It connects at its first use, and again after a loss. Only calls in progress fail, so that a test
 * may kill Redis and restart it.
 */
export class RedisConnection {
  readonly #address: RedisAddress;
  #link: Promise<Link> | undefined;

  constructor(address: RedisAddress) {
    this.#address = address;
  }

  /** An error reply is a value. @throws RedisUnreachableError */
  async command(...args: (string | Buffer)[]): Promise<RespReply> {
    const [reply] = await this.pipeline([args]);
    return reply ?? null;
  }

  /** Sends all commands in one write; the replies are in their order. @throws RedisUnreachableError */
  async pipeline(commands: readonly Command[]): Promise<RespReply[]> {
    return send(await this.#linked(), commands);
  }

  close(): void {
    void this.#link?.then(
      ({ socket }) => socket.destroy(),
      () => {},
    );
    this.#link = undefined;
  }

  #linked(): Promise<Link> {
    if (this.#link) return this.#link;
    const link = open(this.#address, () => {
      if (this.#link === link) this.#link = undefined;
    });
    this.#link = link;
    return link;
  }
}

async function send({ socket, waiting }: Link, commands: readonly Command[]): Promise<RespReply[]> {
  if (!socket.writable) throw new RedisUnreachableError("The connection to Redis broke");
  const replies = commands.map(
    () =>
      new Promise<RespReply>((resolve, reject) => {
        waiting.push({ resolve, reject });
      }),
  );
  socket.write(Buffer.concat(commands.map(encodeCommand)));
  return Promise.all(replies);
}

function open({ port, host = "127.0.0.1", greeting = [] }: RedisAddress, onLost: () => void): Promise<Link> {
  return new Promise((resolve, reject) => {
    const parser = new RespParser();
    const socket = connect(port, host);
    const link: Link = { socket, waiting: [] };
    socket.setNoDelay(true);
    socket.once("connect", () => {
      send(link, greeting)
        .then((replies) => {
          const refusal = replies.find((reply) => reply instanceof RespError);
          if (refusal) throw new RedisUnreachableError(`Redis refused the connection: ${refusal.message}`);
          resolve(link);
        })
        .catch((error: unknown) => {
          reject(error);
          socket.destroy();
        });
    });
    socket.on("data", (chunk) => {
      try {
        for (const reply of parser.push(chunk)) link.waiting.shift()?.resolve(reply);
      } catch {
        socket.destroy();
      }
    });
    // "close" follows every "error" and is handled there.
    socket.on("error", () => {});
    socket.on("close", () => {
      onLost();
      for (const each of link.waiting.splice(0)) {
        each.reject(new RedisUnreachableError("The connection to Redis broke"));
      }
      reject(new RedisUnreachableError("Redis cannot be reached"));
    });
  });
}
