import { Redis, type Requester } from "@upstash/redis";
import { commandError, commandName, StoreError } from "./errors.ts";
import type { Command, Pipelined, PipelineReply } from "./transport.ts";

/** The SDK's typed pipeline. */
export type Pipeline = ReturnType<Redis["pipeline"]>;

/** Makes one HTTP call, or throws a StoreError. */
export type SendCommands = (call: Pipelined) => Promise<PipelineReply>;

/** Sends what `add` queues as one POST to `/pipeline`, or throws a StoreError. */
export type SendPipeline = (
  add: (pipeline: Pipeline) => void,
  syncToken: string | undefined,
) => Promise<PipelineReply>;

/**
 * The SDK's client over a Requester of ours. `new Redis(requester, options)` drops its options, so they are set here:
 *
 * - Replies stay as Redis gives them. The SDK's deserializer would turn the text `"1e3"` into a number, and throws on an
 *   HMGET that failed.
 * - There is no telemetry.
 */
class Client extends Redis {
  protected override opts = { automaticDeserialization: false };
  protected override enableTelemetry = false;
}

/** The same for handlers, who get replies as the SDK's types describe them: JSON parsed, hashes as objects. */
class HandlerClient extends Client {
  protected override opts = { automaticDeserialization: true };
}

/**
 * Builds commands with the SDK's pipeline and hands them to `send`.
 *
 * One serves the whole isolate: it is functions and no I/O (law 4). The SDK's pipeline calls the Requester with the
 * commands only, so the sync token goes beside it: it is set right before `exec()`, which calls `request()` before it
 * returns.
 */
export function createPipelineSender(send: SendCommands): SendPipeline {
  let syncToken: string | undefined;
  let reply: Promise<PipelineReply> | undefined;
  const client = new Client({
    async request<Result>({ body }: { body?: unknown }) {
      reply = send({ commands: commandsOf(body), syncToken });
      return asResponse<Result>((await reply).items);
    },
  });
  return async (add, token) => {
    const pipeline = client.pipeline();
    add(pipeline);
    syncToken = token;
    const done = pipeline.exec({ keepErrors: true });
    const sent = reply;
    syncToken = undefined;
    reply = undefined;
    await done;
    if (!sent) throw new StoreError("malformed", "The SDK's pipeline did not send its commands at once");
    return sent;
  };
}

/**
 * The SDK's client for one request's handlers. Each command is one HTTP call, `pipeline()` and `multi()` make one of many.
 *
 * @throws StoreError from every command, also where a pipeline's first failed command decides. With
 *   `exec({ keepErrors: true })` an item's `error` is that error's message.
 */
export function createRedis(send: SendCommands): Redis {
  let keepErrors = true;
  const requester: Requester = {
    async request<Result>(request: Parameters<Requester["request"]>[0]) {
      const keeps = keepErrors;
      if (request.isStreaming) {
        throw new StoreError(
          "command",
          "A subscription needs a connection that stays open; this client has none",
        );
      }
      const single = request.path === undefined;
      const commands = commandsOf(single ? [request.body] : request.body);
      const path = request.path?.[0] === "multi-exec" ? "multi-exec" : "pipeline";
      const { items, syncToken } = await send({ commands, path, syncToken: requester.upstashSyncToken });
      requester.upstashSyncToken = syncToken ?? requester.upstashSyncToken ?? "";
      const replies = items.map((item, index) => {
        if (item.error === undefined) return item;
        const error = commandError(item.error, commands[index]?.[0]);
        if (single || !keeps) throw error;
        // The SDK's deserializers of some commands throw for a reply that is no list.
        return { error: error.message, result: [] };
      });
      return asResponse<Result>(single ? replies[0] : replies);
    },
  };
  const redis = new HandlerClient(requester);
  const { pipeline, multi } = redis;
  /** Says before `exec()` calls the Requester whether the caller wants the errors item by item. */
  const typed = (built: Pipeline): Pipeline => {
    const exec = built.exec as (options?: { keepErrors: true }) => Promise<never>;
    built.exec = (options?: { keepErrors: true }) => {
      keepErrors = options?.keepErrors ?? false;
      const done = exec(options);
      keepErrors = true;
      return done;
    };
    return built;
  };
  redis.pipeline = () => typed(pipeline());
  redis.multi = () => typed(multi());
  return redis;
}

/** The Requester's type knows single replies only; for a pipeline the SDK expects a list of them. */
function asResponse<Result>(reply: unknown): { result?: Result; error?: string } {
  return reply as { result?: Result; error?: string };
}

/**
 * The commands in the body that the SDK made.
 *
 * @throws StoreError `command` for an argument that JSON would turn into null.
 */
function commandsOf(body: unknown): readonly Command[] {
  const commands = body as readonly Command[];
  for (const command of commands) {
    for (const [index, argument] of command.entries()) {
      if (argument === undefined || (typeof argument === "number" && !Number.isFinite(argument))) {
        const name = commandName(command[0]);
        throw new StoreError("command", `Argument ${index} of ${name} is undefined or no finite number`);
      }
    }
  }
  return commands;
}
