import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** What the thread is told, and tells when it is due. */
export interface Alarm {
  id: number;
  /** By the system's monotonic clock, ns. */
  dueAt: bigint;
}

/** What the thread waits on: it is woken where there is a new alarm. */
export type Bell = Int32Array<SharedArrayBuffer>;

const bell: Bell = new Int32Array(new SharedArrayBuffer(4));
const waiting = new Map<number, () => void>();
/** A message from the thread takes about so long, ms. */
const MESSAGE_MS = 0.25;
let count = 0;
let thread: Worker | undefined;

/** Starts the thread of {@link exactly}, where there is none yet. It does not keep the program alive. */
export async function prepareDelays(): Promise<void> {
  if (thread) return;
  thread = new Worker(`${import.meta.dirname}/delay-thread.ts`, { workerData: bell });
  thread.on("message", (id: number) => {
    const run = waiting.get(id);
    waiting.delete(id);
    run?.();
  });
  await once(thread, "online");
  thread.unref();
}

/**
 * Runs something after a delay, to a tenth of a millisecond. Timers of Node count whole milliseconds from the last turn of its loop; so
 * a thread sleeps until it is due, which takes no processor from what is measured. Call {@link prepareDelays} before.
 */
export function exactly(ms: number, run: () => void): void {
  if (!thread) throw new Error("prepareDelays() comes first");
  count += 1;
  waiting.set(count, run);
  const waitNs = BigInt(Math.round(Math.max(0, ms - MESSAGE_MS) * 1e6));
  thread.postMessage({ id: count, dueAt: process.hrtime.bigint() + waitNs } satisfies Alarm);
  Atomics.add(bell, 0, 1);
  Atomics.notify(bell, 0);
}
