import { bearerField, bearerToken } from "../http/bearer.ts";
import { SESSION_TOKEN_FIELD, SESSION_TOKEN_PREFIX } from "../http/session-token.ts";
import { Attempts, type Clock, type RetryOptions } from "./attempts.ts";
import { edgeProblem } from "./problem.ts";
import { BearerSession } from "./session.ts";
import { type ClientSessions, clientSessions } from "./sessions.ts";

/** Options of {@link createClient}. */
export interface ClientOptions {
  /** The edge's address with its scheme, `https://api.example.com`. Paths begin at its root: a path in it counts for nothing. Default: the page's own origin. */
  baseUrl?: string;
  /** The bearer session to go on with, as `onToken` was told of it. Default none. */
  token?: string | null;
  /** Called with each new token, and with null where the session is over: keep it where the page finds it again. Default: nobody is told. */
  onToken?: (token: string | null) => void;
  /**
   * A 429 is waited out once, where its `Retry-After` is at most this many seconds; of POST and PATCH only the edge's own problem, because
   * an API may have done something. Default 0: not at all.
   */
  waitSeconds?: number;
  /** Retries of GET, HEAD, OPTIONS, PUT and DELETE after 502, 503, 504, 520 to 524, 530 and lost connections. `false`: none. Default two of a request. */
  retry?: RetryOptions | false;
  /** `AUTH_BASE_PATH` of the edge. Default `/auth`. */
  authPath?: string;
  /**
   * `include`: a page of another origin, `https://app.example.com`, sends and keeps the session's cookie, at the paths of `sessions` too. For
   * requests to `baseUrl` that are no `Request` and do not say it themselves. Default as `fetch`: cookies of the page's own origin alone.
   */
  credentials?: "include" | "same-origin" | "omit";
  /** What sends requests. Default the global `fetch`. */
  fetch?: typeof fetch;
  /** Time and chance, for tests. Default the system's. */
  clock?: Clock;
}

/** What `fetch` takes, and how long this request may wait. */
export interface EdgeRequestInit extends RequestInit {
  /** Seconds that a 429 may ask for and is waited out once, in place of the client's. */
  waitSeconds?: number;
}

/** A client of one edge. */
export interface EdgeClient {
  /**
   * `fetch`, with the session, retries and waiting. A path is one of the edge. Everything else is as `fetch` does it: an error status
   * is an answer and throws nothing. It needs no `this`, so that hono's `hc(url, { fetch: client.fetch })` takes it.
   *
   * @param input A path of the edge, an address or a Request. The session goes to `baseUrl` only.
   * @param init As for `fetch`, and `waitSeconds`.
   * @returns the answer; of several attempts the last.
   * @throws TypeError where no attempt got an answer, and the signal's reason where it is aborted, as `fetch` does.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * const response = await api.fetch("/v1/report", { waitSeconds: 5, signal: AbortSignal.timeout(10_000) });
   */
  fetch(input: RequestInfo | URL, init?: EdgeRequestInit): Promise<Response>;
  /** The bearer token of the session, or null where there is none. */
  readonly token: string | null;
  /**
   * Goes on with another session, as a sign-in in another place gave it, or with none. `onToken` is told.
   *
   * @param token The bearer token, or null.
   * @example
   * import { createClient } from "envoyou-edge/client";
   *
   * const api = createClient({ baseUrl: "https://api.example.com" });
   * api.setToken(localStorage.getItem("session"));
   */
  setToken(token: string | null): void;
  /** The user's own sessions. */
  readonly sessions: ClientSessions;
}

/**
 * A client for pages and programs that call an API behind the edge.
 *
 * The bearer session of any answer (`X-Session-Token`) is kept and sent with each request to `baseUrl`, and nowhere else.
 *
 * @param options The edge's address, the session to go on with, and how long and how often requests are tried.
 * @returns the client.
 * @throws TypeError where `baseUrl` is no address, where there is none outside of a page, and for an option that there is none of.
 * @example
 * import { createClient, edgeProblem } from "envoyou-edge/client";
 *
 * const api = createClient({
 *   baseUrl: "https://api.example.com",
 *   token: localStorage.getItem("session"),
 *   onToken: (token) => (token === null ? localStorage.removeItem("session") : localStorage.setItem("session", token)),
 *   waitSeconds: 5,
 * });
 * const response = await api.fetch("/v1/user/profile");
 * const problem = await edgeProblem(response); // null: the answer is your API's
 */
export function createClient(options: ClientOptions = {}): EdgeClient {
  const { retry = {}, waitSeconds = 0, authPath = "/auth", clock = systemClock, ...others } = options;
  const { token, onToken = () => {}, baseUrl, fetch: own, credentials, ...unknown } = others;
  const { perRequest = 2, budget = 10, ...more } = retry || { perRequest: 0 };
  if (typeof retry === "number") throw new TypeError("createClient: retry is an object, or false");
  for (const name in { ...unknown, ...more }) throw new TypeError(`createClient: there is no option ${name}`);
  const base = baseOf(baseUrl);
  const session = new BearerSession(token, onToken);
  const attempts = new Attempts(perRequest, budget, clock);

  async function once(request: Request): Promise<Response> {
    const { generation, token } = session;
    const given = request.headers.get("authorization");
    const ours = new URL(request.url).origin === base.origin;
    if (ours && given === null && token) request.headers.set("authorization", bearerField(token));
    const response = await (own ?? fetch)(request);
    // What another origin says, also after a redirect, is no session of this one; nor is what a token of the caller's own gets.
    const isOurs =
      ours &&
      // A response that a test made has no address.
      new URL(response.url || base).origin === base.origin &&
      !bearerToken(given)?.startsWith(SESSION_TOKEN_PREFIX);
    if (!isOurs) return response;
    const renewed = response.headers.get(SESSION_TOKEN_FIELD);
    if (renewed !== null) session.received(renewed, generation);
    else if (response.status === 401 && given === null && token && token === session.token) {
      if ((await edgeProblem(response))?.code === "SESSION_INVALID") session.set(null);
    }
    return response;
  }

  async function send(input: RequestInfo | URL, given: EdgeRequestInit = {}): Promise<Response> {
    const { waitSeconds: wait = waitSeconds, ...rest } = given;
    const target = typeof input === "string" ? new URL(input, base) : input;
    // A Request has none.
    const isBase = (target as Partial<URL>).origin === base.origin;
    // A Worker's types have no credentials, and no cookies of its own.
    const init = (credentials && isBase ? { credentials, ...rest } : rest) as RequestInit;
    const request = new Request(target, init);
    const { method } = request;
    // A stream can be sent once. It is not told by its class, which neither React Native nor jsdom has.
    const repeatable = typeof Object(rest.body).getReader !== "function";
    const attempt = () => once(repeatable ? request.clone() : request);
    return attempts.run(attempt, { method, repeatable, signal: request.signal }, wait);
  }

  return {
    fetch: send,
    get token() {
      return session.token;
    },
    setToken: (token) => session.set(token),
    // Up to the last sign that is no slash.
    sessions: clientSessions(send, /^.*[^/]/.exec(authPath)?.[0] ?? "", session),
  };
}

/** The root of the edge. @throws TypeError for what is no address, and where there is no page. */
function baseOf(url: string | undefined): URL {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const text = url ?? page ?? "";
  try {
    // A host without a scheme would be a path of the page.
    if (/^\s*(https?:|\/|$)/i.test(text)) return new URL(new URL(text, page).origin);
  } catch {
    // Neither Safari before 17 nor React Native has `URL.canParse`.
  }
  throw new TypeError("createClient: there is no baseUrl, such as https://api.example.com");
}

const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, ms);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    }),
};
