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
  /** What is wrong with the Worker. */
  #worker: string | null = null;
  /** Whether the last change gave no Worker, so that the one of before runs, if any. */
  #notBuilt = false;
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
    return this.#files ?? this.#worker;
  }

  /** The files are read; the Worker starts anew with them. */
  filesRead(): void {
    this.#files = null;
  }

  filesFail(text: string): void {
    const before = this.#files;
    this.#files = text;
    this.#tell(text, before);
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
    const before = this.#worker;
    this.#worker = text;
    this.#tell(text, before);
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
    if (this.#files === null) this.#options.say("Reloaded.");
    this.#options.changed();
  }

  #tell(text: string, before: string | null): void {
    if (!this.#started) {
      this.#reject(new Error(text));
      return;
    }
    if (text !== before) this.#options.say(`error: ${text}`);
    this.#options.changed();
  }
}
