import type { LogLine } from "./log-lines.ts";

/** A request as the page shows it: the facts of the Worker's log, and the path where it is certain. */
export interface FeedEntry {
  id: string;
  /** Milliseconds since 1970, when the response's header fields were sent. */
  at: number;
  method: string;
  route: string;
  status: number;
  verdict: string;
  cache: string | null;
  storeCalls: number;
  storeMs: number;
  totalMs: number;
  /** Null until the development server's own line is certain to be about this request. */
  path: string | null;
}

/** The development server's line about a request: it has the path, and no request id. */
export interface ServerLine {
  method: string;
  path: string;
  status: number;
  /** How long the request took, with its body. */
  ms: number;
  at: number;
}

/** How many requests are kept for a page that opens later. */
const MAX_ENTRIES = 200;
/** Starts of the same request differ by less, starts of two requests in a row by more. */
const CLEARLY_NEARER_MS = 25;
/** Times are in whole milliseconds, each rounded for itself. */
const ROUNDED_BY_MS = 2;
/** The two clocks are read in two processes, and the two texts take two ways. */
const CLOCKS_DIFFER_MS = 60;
/** How long a line waits for its request to be logged. */
const LINE_WAITS_MS = 2000;
/** A request without a path is given up after this. */
const GIVEN_UP_AFTER_MS = 60_000;

/**
 * Requests as they arrive. The Worker's log says everything but the path, which may hold personal data; the development server
 * prints the path, without an id. An entry gets the path of a line of the same method and status, within whose time it lies and
 * whose start is clearly the nearest. Where several lines are as near, they wait until there are as many of them as requests: then
 * their path is known where it is one, and so is their order where one ended before the next began. Requests of several paths
 * that ran at once, and are alike in all else, get none.
 */
export class RequestFeed {
  readonly entries: FeedEntry[] = [];
  readonly #listeners = new Set<(entry: FeedEntry) => void>();
  #unpaired: FeedEntry[] = [];
  /** Lines that came before the log's. */
  #early: ServerLine[] = [];
  /** Lines that may be of more than one request. */
  #doubtful: ServerLine[] = [];

  /** Hands each entry over when it is logged, and again when its path is known. Returns what ends it. */
  listen(listener: (entry: FeedEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes a `request` event. */
  logged(line: LogLine, at: number): void {
    const entry = entryOf(line, at);
    this.entries.push(entry);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.#unpaired = this.#unpaired.filter((each) => at - each.at < GIVEN_UP_AFTER_MS);
    this.#unpaired.push(entry);
    if (this.#unpaired.length > MAX_ENTRIES) this.#unpaired.shift();
    this.#publish(entry);
    const early = this.#early.filter((line) => at - line.at < LINE_WAITS_MS);
    this.#early = [];
    for (const line of early) this.served(line);
  }

  /** Takes a line of the development server. */
  served(line: ServerLine): void {
    const [best, second] = this.#near(line);
    if (!best) {
      this.#early.push(line);
      if (this.#early.length > MAX_ENTRIES) this.#early.shift();
      return;
    }
    if (second && second.distance - best.distance < CLEARLY_NEARER_MS) {
      this.#doubtful = this.#doubtful.filter(({ at }) => line.at - at < LINE_WAITS_MS);
      this.#doubtful.push(line);
      this.#settle(line);
      return;
    }
    this.#pair(best.entry, line.path);
  }

  /** The requests that a line may be about, the nearest first. */
  #near(line: ServerLine): { entry: FeedEntry; distance: number }[] {
    const started = line.at - line.ms;
    return this.#unpaired
      .filter(
        ({ method, status }) => (method === line.method || method === "other") && status === line.status,
      )
      .filter(({ at }) => at <= line.at + CLOCKS_DIFFER_MS)
      .map((entry) => ({ entry, later: entry.at - entry.totalMs - started }))
      .filter(({ later }) => later >= -CLOCKS_DIFFER_MS)
      .map(({ entry, later }) => ({ entry, distance: Math.abs(later) }))
      .sort((a, b) => a.distance - b.distance);
  }

  /** Pairs this line, and those that are about the same requests, where nothing else can be. */
  #settle(line: ServerLine): void {
    const lines = this.#doubtful
      .filter(({ method, status }) => method === line.method && status === line.status)
      .sort((a, b) => a.at - b.at);
    const entries = [...new Set(lines.flatMap((each) => this.#near(each).map(({ entry }) => entry)))];
    if (entries.length !== lines.length) return;
    const isOnePath = lines.every(({ path }) => path === line.path);
    const isInOrder = lines.every(
      ({ at, ms }, index) => index === 0 || (lines[index - 1]?.at ?? 0) <= at - ms + ROUNDED_BY_MS,
    );
    if (!isOnePath && !isInOrder) return;
    this.#doubtful = this.#doubtful.filter((each) => !lines.includes(each));
    entries.sort((a, b) => a.at - b.at);
    for (const [index, entry] of entries.entries()) this.#pair(entry, lines[index]?.path ?? line.path);
  }

  #pair(entry: FeedEntry, path: string): void {
    entry.path = path;
    this.#unpaired = this.#unpaired.filter((each) => each !== entry);
    this.#publish(entry);
  }

  #publish(entry: FeedEntry): void {
    for (const listener of this.#listeners) listener(entry);
  }
}

function entryOf(line: LogLine, at: number): FeedEntry {
  const text = (name: string) => (typeof line[name] === "string" ? (line[name] as string) : null);
  const number = (name: string) => (typeof line[name] === "number" ? (line[name] as number) : 0);
  return {
    id: text("request_id") ?? "",
    at,
    method: text("method") ?? "",
    route: text("route") ?? "",
    status: number("status"),
    verdict: text("verdict") ?? "",
    cache: text("cache"),
    storeCalls: number("store_calls"),
    storeMs: number("store_ms"),
    totalMs: number("total_ms"),
    path: null,
  };
}

/** `[wrangler:info] GET /v1/user 200 OK (12ms)` */
const SERVER_LINE = /^\[wrangler:\w+\] ([A-Z-]+) (\S*) (\d{3})\b.* \((\d+)ms\)$/;

/** A line of the development server about a request; null for any other. */
export function serverLine(text: string, at: number): ServerLine | null {
  const [, method, path, status, ms] = SERVER_LINE.exec(text) ?? [];
  if (!method || path === undefined || !status || !ms) return null;
  return { method, path, status: Number(status), ms: Number(ms), at };
}
