/** What tells one reading of the configuration from another: a build may be given a copy, with the same bindings in it. */
const readingOf = (config: object) => (config as { bindings?: unknown }).bindings;

/**
 * Which starts of the Worker are of the configuration as it was read last. The development server also builds by itself, and a build of
 * before a reload may end while the configuration is read anew: its start is followed by another, and that one counts.
 */
export class AskedReload {
  #asking = 0;
  #newest: unknown;

  /** @param read Reads the configuration anew. Until it is done, no start counts. */
  async during(read: () => Promise<unknown>): Promise<void> {
    this.#asking += 1;
    try {
      await read();
    } finally {
      this.#asking -= 1;
    }
  }

  /** The server has read its configuration: its build follows. */
  hasRead(config: object): void {
    this.#newest = readingOf(config);
  }

  /** Whether a start with this configuration counts. */
  counts(config: object): boolean {
    return this.#asking === 0 && readingOf(config) === this.#newest;
  }
}
