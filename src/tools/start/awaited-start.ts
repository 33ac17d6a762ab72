/** How soon the development server begins to build: esbuild looks at every file within two seconds. */
const BEGINS_WITHIN_MS = 4000;
/** How long it may build and start on a busy machine, before it is taken for one that has forgotten to say how that ended. */
const ENDS_WITHIN_MS = 30_000;
/** A server that does not do what it is asked for is not asked for ever. */
const MAX_ASKED = 3;

export interface AwaitedStartOptions {
  /** Asks the development server to start the Worker anew. */
  ask(): unknown;
  /** Calls back after ms; what it returns takes that back. Default `setTimeout`. */
  after?(ms: number, run: () => void): () => void;
}

/**
 * A start of the Worker that has to come, because what stands in the files is right again. The development server begins by itself
 * where it sees a change. It sees none where a file was wrong and right again between two of its looks: what it compares is what it
 * has built. Then it is asked, and a start comes in any case.
 */
export class AwaitedStart {
  readonly #ask: () => unknown;
  readonly #after: (ms: number, run: () => void) => () => void;
  #isBuilding = false;
  /** Ends the wait; null: none is waited for. */
  #end: (() => void) | null = null;
  #asked = 0;

  constructor({ ask, after = afterMs }: AwaitedStartOptions) {
    this.#ask = ask;
    this.#after = after;
  }

  /** What stands in the files is to run now. */
  wait(): void {
    this.#asked = 0;
    this.#arm();
  }

  /** The server has begun to build. */
  builds(): void {
    this.#isBuilding = true;
    if (this.#end) this.#arm();
  }

  /** The Worker has started, or it cannot: then the next change of a file starts it, which the server sees, as it has built the wrong one. */
  ends(): void {
    this.#isBuilding = false;
    this.stop();
  }

  stop(): void {
    this.#end?.();
    this.#end = null;
  }

  #arm(): void {
    this.stop();
    this.#end = this.#after(this.#isBuilding ? ENDS_WITHIN_MS : BEGINS_WITHIN_MS, () => {
      this.#end = null;
      this.#isBuilding = false;
      if (this.#asked === MAX_ASKED) return;
      this.#asked += 1;
      this.#arm();
      this.#ask();
    });
  }
}

function afterMs(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
}
