import { type RedisAddress, RedisConnection } from "./connection.ts";
import type { RespReply } from "./resp.ts";

/** The Redis behind the endpoint. */
export interface LocalRedis {
  readonly kind: "redis-server" | "external" | "embedded";
  readonly port: number;
  readonly address: RedisAddress;
  /** The process id of the redis-server that we started, while it runs. */
  readonly pid?: number | undefined;
  /** Ends it in order (a redis-server that we started), keeping what it holds for the next {@link start}. */
  stop(): Promise<void>;
  /** Starts it again on the same port, with or without what it held (default: with). */
  start(options?: { keepData?: boolean }): Promise<void>;
  /** SIGKILL: nothing is saved, connections break. */
  kill(): Promise<void>;
  /** Runs a command over a connection of its own, for assertions. An error reply is a value. */
  command(...args: string[]): Promise<RespReply>;
  /** Ends it for good and removes its files. */
  dispose(): Promise<void>;
}

/** The requested Redis is not available. The message says what to do. */
export class RedisChoiceError extends Error {
  override readonly name = "RedisChoiceError";
  readonly code = "redis-choice";
}

/** Runs each command over a connection of its own. */
export function commandOn(address: RedisAddress) {
  return async (...args: string[]): Promise<RespReply> => {
    const connection = new RedisConnection(address);
    try {
      return await connection.command(...args);
    } finally {
      connection.close();
    }
  };
}
