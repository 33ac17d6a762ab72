import { Redis, type Requester } from "@upstash/redis";

/** The SDK's typed pipeline: `p.set(key, value, { px: 1000 })`, `p.zadd(…)` and every other command of Redis. */
export type Pipeline = ReturnType<Redis["pipeline"]>;

/** A command as the wire has it: its name and arguments, each a JSON string or number. */
export type Command = readonly unknown[];

let packed: readonly Command[] = [];

/**
 * The SDK writes the commands, our transport sends them: `exec` hands the finished list to this requester before it
 * first awaits, so {@link pack} can take it synchronously, and nothing is sent by the SDK at all.
 */
const packer: Requester = {
  request<Result>({ body }: { body?: unknown }) {
    packed = body as readonly Command[];
    return Promise.resolve([] as unknown as { result?: Result });
  },
};

let redis: Redis | undefined;

/** Runs `add` over an empty pipeline and returns the commands it queued. */
export function pack(add: (pipeline: Pipeline) => void): readonly Command[] {
  redis ??= new Redis(packer);
  const pipeline = redis.pipeline();
  add(pipeline);
  if (pipeline.length() === 0) return [];
  void pipeline.exec({ keepErrors: true });
  const commands = packed;
  packed = [];
  return commands;
}
