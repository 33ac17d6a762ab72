import type { Pipeline, SendPipeline } from "./client.ts";
import { asStoreError, commandError, notUnderstood, StoreError, type StoreErrorCode } from "./errors.ts";
import { GivenUp, readAlsoLate } from "./given-up.ts";
import { listIn, textOrNullIn } from "./replies.ts";
import { type Script, scriptSha } from "./script.ts";
import type { PipelineReply, ReplyItem } from "./transport.ts";

interface Queued {
  /** Adds exactly one command. */
  add(pipeline: Pipeline): unknown;
  resolve(value: unknown): void;
  reject(error: StoreError): void;
}

/** Texts that are read together. */
interface Reader {
  /** Where its keys begin in the MGET, and how many they are. */
  from: number;
  count: number;
  resolve(values: (string | null)[]): void;
  reject(error: StoreError): void;
}

/** After a NOSCRIPT a caller has so many microtask turns to queue the script's text: a few awaits, no timer. */
const FOLLOW_UP_TURNS = 12;

/** Of a whole batch these say that no call was made. */
const NOT_SENT: ReadonlySet<StoreErrorCode> = new Set(["open", "absent", "command"]);

/**
 * What one request asks of the store: capabilities queue commands, and the batch sends them as **one** POST to `/pipeline`
 * (law 1). Every queued command is a promise that settles with the batch; all plain reads are one MGET, the first command.
 *
 * It has the two methods that @upstash/ratelimit's algorithms call, so that it can be their `redis`.
 *
 * A script the server does not know (NOSCRIPT, after a restart) costs one more call for the whole batch. That call sends
 * only those scripts again: everything else has run.
 */
export class Batch {
  readonly #sendPipeline: SendPipeline;
  #queue: Queued[] = [];
  #reads = new Map<string, Promise<string | null>>();
  #readers: Reader[] = [];
  #keys: string[] = [];
  #scripts: { script: Script; queued: Queued; keys: string[]; args: (string | number)[] }[] = [];
  #missingScript = false;
  #state: "open" | "sent" | "done" = "open";
  #calls = 0;
  #error: StoreError | undefined;

  /** Upstash's consistency token: set it before sending to read one's own writes; afterwards it is the newest one seen. */
  syncToken: string | undefined;

  constructor(sendPipeline: SendPipeline) {
    this.#sendPipeline = sendPipeline;
  }

  /** How many HTTP calls it has made so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Why the whole batch failed, once it has. A single failed command is not here: its promise rejects. */
  get error(): StoreError | undefined {
    return this.#error;
  }

  get empty(): boolean {
    return this.#queue.length === 0 && this.#readers.length === 0 && this.#scripts.length === 0;
  }

  /** The string at `key`, or null. Reads of one key are one read. */
  read(key: string): Promise<string | null> {
    const known = this.#reads.get(key);
    if (known) return known;
    const reply = readAlsoLate(this.readAll([key]), ([value = null]) => value);
    reply.catch(ignore);
    this.#reads.set(key, reply);
    return reply;
  }

  /** The strings at `keys`, or null, in their order: one promise for all costs less than one for each. */
  readAll(keys: readonly string[]): Promise<(string | null)[]> {
    if (keys.length === 0) return Promise.resolve([]);
    const reply = new Promise<(string | null)[]>((resolve, reject) => {
      this.#readers.push({ from: this.#keys.length, count: keys.length, resolve, reject });
      this.#keys.push(...keys);
    });
    reply.catch(ignore);
    return reply;
  }

  /**
   * Runs a script. Its reply is as Redis gives it: integers are numbers, bulk strings strings, tables lists, nil null. Read it with
   * `replies.ts`.
   */
  run(script: Script, keys: string[], args: (string | number)[]): Promise<unknown> {
    return this.#enqueue((queued) => {
      this.#scripts.push({ script, queued, keys, args });
    });
  }

  /**
   * Queues any other command with the SDK's typed pipeline: `batch.queue((p) => p.set(key, value, { px: 1000 }))`.
   *
   * The reply is as Redis gives it: text stays text, a hash is a list. Read it with `replies.ts`. Arguments are texts and finite numbers: the SDK
   * would send null as the text "null".
   *
   * @param add Adds exactly one command. It is called when the batch is sent.
   * @throws StoreError by the promise: of the whole batch, or `command` where only this command failed.
   */
  queue(add: (pipeline: Pipeline) => unknown): Promise<unknown> {
    return this.#enqueue((queued) => {
      queued.add = add;
      this.#queue.push(queued);
    });
  }

  /** As @upstash/ratelimit calls it. */
  evalsha<Args extends unknown[]>(sha: string, keys: string[], args: Args): Promise<unknown> {
    return this.queue((pipeline) => pipeline.evalsha(sha, keys, args));
  }

  /** As @upstash/ratelimit calls it, after a NOSCRIPT. */
  eval<Args extends unknown[]>(source: string, keys: string[], args: Args): Promise<unknown> {
    return this.queue((pipeline) => pipeline.eval(source, keys, args));
  }

  /** Sends what was queued. It never rejects: each promise settles for its command, `error` says why the whole failed. */
  async send(): Promise<void> {
    if (this.#state !== "open") throw new Error("A batch is sent once");
    this.#state = "sent";
    if (!this.empty) {
      if (this.#scripts.length > 0) await this.#packScripts("sha");
      await this.#flush();
      if (this.#missingScript) {
        for (let turn = 0; turn < FOLLOW_UP_TURNS; turn += 1) await undefined;
        await this.#packScripts("source");
        if (!this.empty) await this.#flush();
      }
    }
    this.#state = "done";
  }

  #enqueue(place: (queued: Queued) => void): Promise<unknown> {
    const reply = new Promise<unknown>((resolve, reject) => {
      const queued: Queued = { add: () => {}, resolve, reject };
      if (this.#state === "done") reject(new StoreError("absent", "The batch is over"));
      else place(queued);
    });
    // The caller decides when to await it: until then a failure must not count as unhandled.
    reply.catch(ignore);
    return reply;
  }

  async #packScripts(how: "sha" | "source"): Promise<void> {
    const scripts = this.#scripts;
    this.#scripts = [];
    for (const { script, queued, keys, args } of scripts) {
      if (how === "source") {
        queued.add = (pipeline) => pipeline.eval(script.source, keys, args);
      } else {
        const sha = await scriptSha(script);
        queued.add = (pipeline) => pipeline.evalsha(sha, keys, args);
        const { reject } = queued;
        queued.reject = (error) => {
          if (error.redisCode !== "NOSCRIPT") return reject(error);
          this.#scripts.push({ script, queued: { ...queued, reject }, keys, args });
        };
      }
      this.#queue.push(queued);
    }
  }

  async #flush(): Promise<void> {
    const queue = this.#queue;
    const readers = this.#readers;
    const keys = this.#keys;
    this.#queue = [];
    this.#readers = [];
    this.#keys = [];
    try {
      this.#calls += 1;
      const reply = await this.#sendPipeline((pipeline) => {
        if (keys.length > 0) pipeline.mget(...keys);
        for (const queued of queue) addOne(pipeline, queued);
      }, this.syncToken);
      this.syncToken = reply.syncToken ?? this.syncToken;
      const items = reply.items[Symbol.iterator]();
      if (keys.length > 0) settleReads(readers, keys.length, items.next().value);
      for (const queued of queue) {
        const item = items.next().value;
        if (item?.error === undefined) {
          queued.resolve(item?.result);
          continue;
        }
        const error = commandError(item.error);
        if (error.redisCode === "NOSCRIPT") this.#missingScript = true;
        queued.reject(error);
      }
    } catch (cause) {
      const error = asStoreError(cause);
      this.#error = error;
      if (NOT_SENT.has(error.code)) this.#calls -= 1;
      const told = (read: (items: ReplyItem[]) => unknown) =>
        error instanceof GivenUp ? toldLate(error, read) : error;
      for (const { from, count, reject } of readers)
        reject(told(([item]) => textsOf(item, keys.length).slice(from, from + count)));
      const first = keys.length > 0 ? 1 : 0;
      for (const [index, { reject }] of queue.entries())
        reject(told((items) => resultOf(items[first + index])));
    }
  }
}

/** Of a call that was given up: somebody's own reply, when that comes after all. */
function toldLate(
  { message, late }: GivenUp<PipelineReply>,
  read: (items: ReplyItem[]) => unknown,
): StoreError {
  return new GivenUp(
    message,
    late.then(({ items }) => read(items)),
  );
}

/** The reply to one command. @throws StoreError */
function resultOf(item: ReplyItem | undefined): unknown {
  if (item?.error !== undefined) throw commandError(item.error);
  return item?.result;
}

/** Replies are matched to commands by their place: a command too many would hand one caller's reply to another. */
function addOne(pipeline: Pipeline, queued: Queued): void {
  const before = pipeline.length();
  queued.add(pipeline);
  if (pipeline.length() === before + 1) return;
  throw new StoreError("command", "Queue exactly one command");
}

function settleReads(readers: Reader[], keys: number, item: ReplyItem | undefined): void {
  try {
    const values = textsOf(item, keys);
    for (const { from, count, resolve } of readers) resolve(values.slice(from, from + count));
  } catch (error) {
    for (const { reject } of readers) reject(asStoreError(error));
  }
}

/** The reply to an MGET: null where there is nothing, or no string. Any other reply must not be taken for "nothing". @throws StoreError */
function textsOf(item: ReplyItem | undefined, length: number): (string | null)[] {
  const values = listIn(resultOf(item)).map(textOrNullIn);
  if (values.length !== length) throw notUnderstood();
  return values;
}

function ignore(): void {}
