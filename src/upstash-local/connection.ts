import { connect, type Socket } from "node:net";
import { encodeCommand, RespParser, type RespReply } from "./resp.ts";

interface Waiting {
  resolve(reply: RespReply): void;
  reject(error: Error): void;
}

/**
 * One connection to Redis. It connects when it is first used, and again when it is used after a loss: what fails is only
 * what was under way, so that a test may kill Redis and start it again underneath.
 */
export class RedisConnection {
  readonly #port: number;
  readonly #host: string;
  #socket: Promise<Socket> | undefined;
  #waiting: Waiting[] = [];

  constructor(port: number, host = "127.0.0.1") {
    this.#port = port;
    this.#host = host;
  }

  /** @throws Error when Redis cannot be reached or the connection breaks; an error reply is a value. */
  async command(...args: (string | Buffer)[]): Promise<RespReply> {
    const [reply] = await this.pipeline([args]);
    return reply ?? null;
  }

  /** Sends all commands in one write; the replies are in their order. */
  async pipeline(commands: readonly (readonly (string | Buffer)[])[]): Promise<RespReply[]> {
    this.#socket ??= this.#open();
    const socket = await this.#socket.catch((error: unknown) => {
      this.#socket = undefined;
      throw error;
    });
    const replies = commands.map(
      () =>
        new Promise<RespReply>((resolve, reject) => {
          this.#waiting.push({ resolve, reject });
        }),
    );
    socket.write(Buffer.concat(commands.map(encodeCommand)));
    return Promise.all(replies);
  }

  close(): void {
    void this.#socket?.then(
      (socket) => socket.destroy(),
      () => {},
    );
    this.#socket = undefined;
  }

  #open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const parser = new RespParser();
      const socket = connect(this.#port, this.#host);
      socket.setNoDelay(true);
      socket.once("connect", () => resolve(socket));
      socket.on("data", (chunk) => {
        for (const reply of parser.push(chunk)) this.#waiting.shift()?.resolve(reply);
      });
      socket.on("error", reject);
      socket.on("close", () => {
        this.#socket = undefined;
        const lost = this.#waiting;
        this.#waiting = [];
        for (const each of lost) each.reject(new Error("The connection to Redis broke"));
        reject(new Error("Redis cannot be reached"));
      });
    });
  }
}
