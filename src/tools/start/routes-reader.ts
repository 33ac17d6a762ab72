import { readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { RoutesReading, RoutesThread } from "./routes-thread.ts";

/** The edge's own code, which a thread has loaded before it is asked. */
const CODE = resolve(import.meta.dirname, "../..");

interface Spare {
  thread: Worker;
  /** The code that it has loaded. */
  code: string;
}

/**
 * Reads lists of routes, each in a thread of its own: the list is code of the developer's, which may go on for ever or leave things
 * behind. The next thread is started beforehand, because to load the edge's code takes longer than all the rest.
 */
export class RoutesReader {
  readonly #leftOut: string;
  #spare: Spare | null = null;
  #isStopped = false;

  /** @param file That of the routes, which no thread has loaded. */
  constructor(file: string) {
    this.#leftOut = resolve(file);
  }

  /**
   * @param withinMs How long it may take.
   * @returns null where it takes too long, or ends its thread.
   */
  async read(input: RoutesThread, withinMs: number): Promise<RoutesReading | null> {
    const thread = this.#take();
    thread.ref();
    try {
      return await answerOf(thread, input, withinMs);
    } finally {
      void thread.terminate();
      if (!this.#isStopped) this.#spare ??= start(this.#code());
    }
  }

  stop(): void {
    this.#isStopped = true;
    void this.#spare?.thread.terminate();
    this.#spare = null;
  }

  #take(): Worker {
    const code = this.#code();
    const spare = this.#spare;
    this.#spare = null;
    if (spare?.code === code) return spare.thread;
    void spare?.thread.terminate();
    return start(code).thread;
  }

  /** Changes with every change of the edge's own code. */
  #code(): string {
    return readdirSync(CODE, { recursive: true, encoding: "utf8" })
      .map((name) => join(CODE, name))
      .filter((file) => file.endsWith(".ts") && file !== this.#leftOut)
      .map((file) => `${file}:${statSync(file, { throwIfNoEntry: false })?.mtimeMs}`)
      .join("\n");
  }
}

function start(code: string): Spare {
  const thread = new Worker(join(import.meta.dirname, "routes-thread.ts"), { stdout: true, stderr: true });
  // Until it is asked nobody listens: code that cannot be loaded is no fault of this process.
  thread.on("error", () => {});
  thread.unref();
  return { thread, code };
}

function answerOf(thread: Worker, input: RoutesThread, withinMs: number): Promise<RoutesReading | null> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(null), withinMs);
    const end = (reading: RoutesReading | null) => {
      clearTimeout(timer);
      done(reading);
    };
    thread.once("message", end);
    thread.once("error", () => end(null));
    thread.once("exit", () => end(null));
    thread.postMessage(input);
  });
}
