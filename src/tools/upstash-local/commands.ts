import type { RedisConnection } from "./connection.ts";
import { refusal } from "./refusals.ts";
import { type Command, RespError, type RespReply } from "./resp.ts";
import { ScriptAliases, sha1 } from "./scripts.ts";

/** A command as Redis gets it, and what replaces its reply when it succeeds. */
interface Translated {
  args: Command;
  instead?: Buffer;
}

/** Runs commands on Redis, with the scripts' names translated. */
export class CommandRunner {
  readonly #aliases = new ScriptAliases();

  /** Runs all commands in one write; each succeeds or fails by itself. @throws RedisUnreachableError */
  async pipeline(connection: RedisConnection, commands: readonly Command[]): Promise<RespReply[]> {
    const steps = commands.map((command) => refusal(command) ?? this.#translate(command));
    const sent = steps.flatMap((step) => (step instanceof RespError ? [] : [step.args]));
    const replies = sent.length > 0 ? await connection.pipeline(sent) : [];
    return steps.map((step) => (step instanceof RespError ? step : answer(step, replies.shift())));
  }

  /**
   * MULTI … EXEC. A transaction that Redis discards is one error: the first that a command met when it was queued.
   *
   * @throws RedisUnreachableError
   */
  async transaction(
    connection: RedisConnection,
    commands: readonly Command[],
  ): Promise<RespReply[] | RespError> {
    const refused = commands.map(refusal).find((error) => error !== undefined);
    if (refused) return refused;
    const steps = commands.map((command) => this.#translate(command));
    const replies = await connection.pipeline([["MULTI"], ...steps.map(({ args }) => args), ["EXEC"]]);
    const executed = replies.at(-1);
    if (executed instanceof RespError) {
      return replies.find((reply) => reply instanceof RespError) ?? executed;
    }
    if (!Array.isArray(executed)) return new RespError("EXECABORT Transaction discarded");
    return steps.map((step, index) => answer(step, executed[index]));
  }

  #translate(args: Command): Translated {
    const [name = "", first, second] = args.slice(0, 3).map(String);
    switch (name.toUpperCase()) {
      case "EVAL":
      case "EVAL_RO":
        return first === undefined ? { args } : { args: [name, this.#aliases.load(first), ...args.slice(2)] };
      case "EVALSHA":
      case "EVALSHA_RO":
        return first === undefined
          ? { args }
          : { args: [name, this.#aliases.resolve(first), ...args.slice(2)] };
      case "SCRIPT":
        return this.#script(args, first?.toUpperCase(), second);
      default:
        return { args };
    }
  }

  #script(args: Command, subcommand: string | undefined, source: string | undefined): Translated {
    if (subcommand === "EXISTS") {
      return {
        args: [...args.slice(0, 2), ...args.slice(2).map((sha) => this.#aliases.resolve(String(sha)))],
      };
    }
    if (subcommand !== "LOAD" || source === undefined) return { args };
    return {
      args: ["SCRIPT", "LOAD", this.#aliases.load(source), ...args.slice(3)],
      instead: Buffer.from(sha1(source)),
    };
  }
}

function answer({ instead }: Translated, reply: RespReply | undefined): RespReply {
  if (reply instanceof RespError) return reply;
  return instead ?? reply ?? null;
}
