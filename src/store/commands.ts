import type { SetCommandOptions, ZRangeCommandOptions } from "@upstash/redis";

/** A command as the wire has it: its name and arguments, each a JSON string or number. */
export type Command = readonly (string | number)[];

/** `px` in ms, `ex` in s: every key of ours has a lifetime, so one of them must be there. */
type Lifetime = { px: number } | { ex: number };

/**
 * The commands this Worker sends, with the SDK's names and options: `p.set(key, value, { px: 1000 })`.
 *
 * They are written here because the SDK holds every command of Redis in one piece that no bundler can shake: 18 KB of the
 * Worker, gzipped, for eleven of them. `test/contract/store` holds each of them to what @upstash/redis puts on the wire.
 */
export class Pipeline {
  readonly commands: Command[] = [];

  ping(): void {
    this.#add("ping");
  }

  mget(...keys: string[]): void {
    this.#add("mget", ...keys);
  }

  set(key: string, value: string, lifetime: Lifetime & SetCommandOptions): void {
    this.#add("set", key, value, ...("px" in lifetime ? ["px", lifetime.px] : ["ex", lifetime.ex]));
  }

  del(...keys: string[]): void {
    this.#add("del", ...keys);
  }

  hmget(key: string, ...fields: string[]): void {
    this.#add("hmget", key, ...fields);
  }

  hset(key: string, fields: Record<string, string>): void {
    this.#add("hset", key, ...Object.entries(fields).flat());
  }

  pexpire(key: string, ms: number): void {
    this.#add("pexpire", key, ms);
  }

  zcount(key: string, min: string | number, max: string | number): void {
    this.#add("zcount", key, min, max);
  }

  /** By score only: the one form that is used. */
  zrange(
    key: string,
    min: string | number,
    max: string | number,
    options: ZRangeCommandOptions & { byScore: true; offset: number; count: number; withScores: true },
  ): void {
    this.#add("zrange", key, min, max, "byscore", "limit", options.offset, options.count, "withscores");
  }

  eval(source: string, keys: string[], args: readonly unknown[]): void {
    this.#add("eval", source, keys.length, ...keys, ...args.map(argument));
  }

  evalsha(sha: string, keys: string[], args: readonly unknown[]): void {
    this.#add("evalsha", sha, keys.length, ...keys, ...args.map(argument));
  }

  #add(...command: (string | number)[]): void {
    this.commands.push(command);
  }
}

/** Runs `add` over an empty pipeline and returns the commands it queued. */
export function pack(add: (pipeline: Pipeline) => void): readonly Command[] {
  const pipeline = new Pipeline();
  add(pipeline);
  return pipeline.commands;
}

/** Strings and numbers travel as they are, anything else as its JSON. */
function argument(value: unknown): string | number {
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}
