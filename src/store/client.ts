import { Redis, type Requester } from "@upstash/redis";
import { commandError, commandName, StoreError } from "./errors.ts";
import type { Command, Pipelined, PipelineReply } from "./transport.ts";

/** The SDK's typed pipeline. */
export type Pipeline = ReturnType<Redis["pipeline"]>;

/** Keeps the invocation of a request alive until the promise settles. */
export type WaitUntil = (work: Promise<unknown>) => void;

/** The commands of a batch, and whose request waits for them. */
export interface SentPipeline extends Pipelined {
  waitUntil?: WaitUntil | undefined;
}

/** Makes one HTTP call, or throws a StoreError. */
export type SendCommands = (call: SentPipeline) => Promise<PipelineReply>;

/** Sends what `add` queues as one POST to `/pipeline`, or throws a StoreError. */
export type SendPipeline = (
  add: (pipeline: Pipeline) => void,
  syncToken: string | undefined,
  waitUntil?: WaitUntil,
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
 * One serves the whole isolate: it is functions and no I/O (law 4). Its Requester takes the commands from `exec()`, which
 * calls `request()` before it returns, and replies with nothing: the batch reads the reply itself, as Redis gives it.
 */
export function createPipelineSender(send: SendCommands): SendPipeline {
  let built: unknown;
  const client = new Client({
    async request<Result>({ body }: { body?: unknown }) {
      built = body;
      return asResponse<Result>([]);
    },
  });
  let pipeline = client.pipeline();
  return async (add, syncToken, waitUntil) => {
    if (!emptied(pipeline)) pipeline = client.pipeline();
    add(pipeline);
    void pipeline.exec({ keepErrors: true }).catch(() => {});
    const body = built;
    built = undefined;
    // The SDK does not send them at once any more.
    if (!body) throw new StoreError("command", "The SDK's pipeline has no commands");
    return send({ commands: commandsOf(body), syncToken, waitUntil });
  };
}

/**
 * Takes out the commands of the batch before. A new pipeline of the SDK makes some 250 functions of its own, which costs
 * more than the commands of a batch.
 *
 * @returns false where the SDK keeps them elsewhere: then a new pipeline is needed.
 */
function emptied(pipeline: Pipeline): boolean {
  if (pipeline.length() > 0) Object.assign(pipeline, { commands: [] });
  return pipeline.length() === 0;
}

/**
 * The SDK's client for one request's handlers. Each command is one HTTP call, `pipeline()` and `multi()` make one of many.
 *
 * @throws StoreError from every command, also where a pipeline's first failed command decides. With
 *   `exec({ keepErrors: true })` an item's `error` is that error's message.
 */
export function createRedis(send: SendCommands): Redis {
  let keepErrors = true;
  const redis = new HandlerClient(requesterOver(send, () => keepErrors));
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

/**
 * A Requester of the SDK's client: each command is one HTTP call, a pipeline one of many.
 *
 * @param keeps Whether the caller of the pipeline that is sent wants the errors item by item. Default: yes.
 * @throws StoreError from every request.
 */
export function requesterOver(send: SendCommands, keeps: () => boolean = () => true): Requester {
  const requester: Requester = {
    async request<Result>(request: Parameters<Requester["request"]>[0]) {
      const keepErrors = keeps();
      if (request.isStreaming) {
        throw new StoreError("command", "A subscription needs a connection that stays open");
      }
      const single = request.path === undefined;
      const commands = commandsOf(single ? [request.body] : request.body);
      const path = request.path?.[0] === "multi-exec" ? "multi-exec" : "pipeline";
      const { items, syncToken } = await send({ commands, path, syncToken: requester.upstashSyncToken });
      requester.upstashSyncToken = syncToken ?? requester.upstashSyncToken ?? "";
      const replies = items.map((item, index) => {
        if (item.error === undefined) return item;
        const error = commandError(item.error, commands[index]?.[0]);
        if (single || !keepErrors) throw error;
        // The SDK's deserializers of some commands throw for a reply that is no list.
        return { error: error.message, result: [] };
      });
      return asResponse<Result>(single ? replies[0] : replies);
    },
  };
  return requester;
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
    const index = command.findIndex(isUnsendable);
    if (index === -1) continue;
    const name = commandName(command[0]);
    throw new StoreError("command", `Argument ${index} of ${name} is undefined or no finite number`);
  }
  return commands;
}

function isUnsendable(argument: unknown): boolean {
  return argument === undefined || (typeof argument === "number" && !Number.isFinite(argument));
}
