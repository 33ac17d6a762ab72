export interface EdgeStateOptions {
  say(text: string): void;
  /** The edge runs again, or the problem is another one. */
  changed(): void;
}

/** Whether the Worker runs as its files say. Each problem is said once; the first one, before the Worker has ever run, ends the start. */
export class EdgeState {
  readonly #options: EdgeStateOptions;
  /** Resolves when the Worker runs for the first time; rejects with what is wrong. */
  readonly first: Promise<void>;
  #resolve = () => {};
  #reject = (_: Error) => {};
  #started = false;
  /** What is wrong with wrangler.toml or the developer's variables, which the Worker has not got. */
  #files: string | null = null;
  /** What the edge's own reading of the routes and the variables finds, before the Worker says the same. */
  #check: string | null = null;
  /** Whether the Worker has run well since, as it does when it is quicker than the next check. */
  #ranMeanwhile = false;
  /** What is wrong with the Worker. */
  #worker: string | null = null;
  /** Whether the last change gave no Worker, so that the one of before runs, if any. */
  #notBuilt = false;
  /** The last problem that was said, until the Worker runs well: the Worker refuses seconds later what the check has refused. */
  #said: string | null = null;
  #change = 0;

  constructor(options: EdgeStateOptions) {
    this.#options = options;
    this.first = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.first.catch(() => {});
  }

  /** Null: the Worker runs as its files say. */
  get problem(): string | null {
    return this.#files ?? this.#check ?? this.#worker;
  }

  /** The files are read; the Worker starts anew with them. */
  filesRead(): void {
    this.#files = null;
  }

  filesFail(text: string): void {
    this.#files = text;
    this.#tell(text);
  }

  /** The routes or the variables are not what the Worker takes. */
  checkFails(text: string): void {
    this.#check = text;
    this.#ranMeanwhile = false;
    this.#tell(text);
  }

  /**
   * @param reloads Whether the Worker is started anew for it. Else its files may have been built and started before.
   * @returns whether a start of the Worker has to come: what stands in the files does not run yet.
   */
  checkPasses({ reloads }: { reloads: boolean }): boolean {
    if (this.#check === null) return reloads;
    this.#check = null;
    const runs = this.#ranMeanwhile && !reloads;
    if (runs) this.#reloaded();
    else this.#options.changed();
    return !runs;
  }

  /** The last change gives no Worker: it cannot be built or loaded. */
  buildFails(text: string): void {
    this.#fails(text);
    this.#notBuilt = true;
  }

  /** The running Worker has an issue. Where that is the Worker of before, the issue is not of what stands in the files now. */
  workerFails(text: string): void {
    if (this.#notBuilt) return;
    this.#fails(text);
  }

  #fails(text: string): void {
    this.#change += 1;
    this.#worker = text;
    this.#tell(text);
  }

  /**
   * The Worker has started anew.
   *
   * @param look Makes the Worker read its configuration, which may fail.
   */
  async workerStarts(look: () => Promise<void>): Promise<void> {
    this.#notBuilt = false;
    this.#change += 1;
    const change = this.#change;
    await look();
    // It has failed, or started once more.
    if (change !== this.#change) return;
    this.#worker = null;
    if (!this.#started) {
      this.#started = true;
      this.#resolve();
      return;
    }
    this.#ranMeanwhile = true;
    this.#reloaded();
  }

  #reloaded(): void {
    if (this.problem === null) {
      this.#said = null;
      this.#options.say("Reloaded.");
    }
    this.#options.changed();
  }

  #tell(text: string): void {
    if (!this.#started) {
      this.#reject(new Error(text));
      return;
    }
    const { problem } = this;
    if (problem !== this.#said) this.#options.say(`error: ${problem}`);
    this.#said = problem;
    this.#options.changed();
  }
}
