import { type LogLine, logLine, plainLine } from "./log-lines.ts";
import { RequestFeed, serverLine } from "./request-feed.ts";

export interface WorkerOutputOptions {
  say(text: string): void;
  /** Print every line as it comes. */
  verbose: boolean;
  /** The Worker cannot use its configuration. */
  onIssue(message: string): void;
}

/** A configuration's issue is logged beside the response, in another stream. */
const LOGGED_WITHIN_MS = 150;

/** What the Worker and its server print: warnings as plain lines, requests into the feed, the rest only where it is asked for. */
export class WorkerOutput {
  readonly feed = new RequestFeed();
  readonly #say: (text: string) => void;
  readonly #verbose: boolean;
  readonly #onIssue: (message: string) => void;
  readonly #said = new Set<string>();
  /** Requests that were logged while this program's own is on its way: which of them is its own is known at the end. */
  #held: { line: LogLine; at: number }[] | null = null;
  #ownPath: string | null = null;

  constructor({ say, verbose, onIssue }: WorkerOutputOptions) {
    this.#say = say;
    this.#verbose = verbose;
    this.#onIssue = onIssue;
  }

  /** A line that the Worker writes. What a handler of the developer writes is printed as it is. */
  logged(text: string, at: number): void {
    const line = logLine(text);
    if (this.#verbose || !line) this.#say(text);
    if (!line) return;
    if (line.event === "config.error") {
      this.#onIssue(String(line.message));
      return;
    }
    if (line.event === "request") {
      if (this.#held) this.#held.push({ line, at });
      else this.feed.logged(line, at);
    }
    const plain = this.#verbose ? null : plainLine(line);
    if (plain === null) return;
    // What is said of the configuration comes again with every isolate.
    if (line.event === "request" || !this.#said.has(plain)) this.#say(plain);
    this.#said.add(plain);
  }

  /** A line of the development server. */
  served(text: string, at: number): void {
    if (this.#verbose) this.#say(text);
    const line = serverLine(text, at);
    if (line && line.path !== this.#ownPath) this.feed.served(line);
  }

  /** Says once what is amiss with the developer's files. */
  warn(warning: string): void {
    const text = `warning: ${warning}`;
    if (!this.#said.has(text)) this.#say(text);
    this.#said.add(text);
  }

  /**
   * Sends a request of this program, which is no request of the developer's and is not shown.
   *
   * @returns Its status; null where it is not answered.
   */
  async own(url: string, withinMs: number): Promise<number | null> {
    const held: { line: LogLine; at: number }[] = [];
    this.#held = held;
    this.#ownPath = new URL(url).pathname;
    let id: string | null = null;
    try {
      const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(withinMs) });
      id = response.headers.get("x-request-id");
      await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, LOGGED_WITHIN_MS));
      return response.status;
    } catch {
      return null;
    } finally {
      this.#held = null;
      this.#ownPath = null;
      for (const { line, at } of held) if (line.request_id !== id) this.feed.logged(line, at);
    }
  }
}
