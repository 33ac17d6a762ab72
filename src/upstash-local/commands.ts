import type { RedisConnection } from "./connection.ts";
import { RespError, type RespReply } from "./resp.ts";
import { ScriptAliases, sha1 } from "./scripts.ts";
import { argument } from "./values.ts";

/** Commands as they come in a request's JSON. */
export type JsonCommand = readonly unknown[];

/** Runs commands on Redis, with the scripts' names translated. */
export class CommandRunner {
  readonly #aliases = new ScriptAliases();

  /** All commands in one write, each with its own fate. */
  async pipeline(connection: RedisConnection, commands: readonly JsonCommand[]): Promise<RespReply[]> {
    const translated = commands.map((command) => this.#translate(command));
    const replies = await connection.pipeline(translated.map(({ args }) => args));
    return replies.map((reply, index) => translated[index]?.answer?.(reply) ?? reply);
  }

  /** MULTI … EXEC. A transaction that Redis discards is one error. */
  async transaction(
    connection: RedisConnection,
    commands: readonly JsonCommand[],
  ): Promise<RespReply[] | RespError> {
    const translated = commands.map((command) => this.#translate(command));
    const replies = await connection.pipeline([["MULTI"], ...translated.map(({ args }) => args), ["EXEC"]]);
    const executed = replies.at(-1) ?? null;
    if (executed instanceof RespError) {
      return replies.slice(1, -1).find((reply) => reply instanceof RespError) ?? executed;
    }
    return Array.isArray(executed) ? executed : new RespError("EXECABORT Transaction discarded");
  }

  #translate(command: JsonCommand): { args: string[]; answer?: (reply: RespReply) => RespReply } {
    const args = command.map(argument);
    const [name = "", first = "", second = ""] = args;
    switch (name.toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return { args: [name, this.#aliases.load(first), ...args.slice(2)] };
      case "EVALSHA":
      case "EVALSHA_RO":
        return { args: [name, this.#aliases.resolve(first), ...args.slice(2)] };
      case "SCRIPT":
        return this.#script(args, first.toUpperCase(), second);
      default:
        return { args };
    }
  }

  #script(args: string[], subcommand: string, source: string) {
    if (subcommand === "EXISTS") {
      return { args: [...args.slice(0, 2), ...args.slice(2).map((sha) => this.#aliases.resolve(sha))] };
    }
    if (subcommand !== "LOAD") return { args };
    const known = Buffer.from(sha1(source));
    return {
      args: ["SCRIPT", "LOAD", this.#aliases.load(source)],
      answer: (reply: RespReply) => (reply instanceof RespError ? reply : known),
    };
  }
}
