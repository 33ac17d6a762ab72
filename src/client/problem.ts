import type { ProblemCode } from "../http/problem-codes.ts";

/** The codes of the edge's problems; `HTTP_<status>` is what a handler behind the middlewares threw. */
export type EdgeProblemCode = ProblemCode | `HTTP_${number}`;

/** A refusal or a failure of the edge, as its body states it (`application/problem+json`, RFC 9457). */
export interface EdgeProblem {
  /** A URI of the kind of problem, `about:blank` for most (RFC 9457 §3.1.1). */
  type: string;
  /** A short name of the kind of problem (§3.1.3). */
  title: string;
  /** The HTTP status of the response (§3.1.2). */
  status: number;
  /** What it is, for programs. */
  code: EdgeProblemCode;
  /** The same as `title`. */
  error: string;
  /** One sentence for people, with what to do. */
  message: string;
  /** Whole seconds after which to try again, as `Retry-After` says; only where waiting helps: a 429 without it never passes. */
  retry_after?: number;
  /** Names of the limits without room, of `RATE_LIMIT_EXCEEDED`. */
  "violated-policies"?: string[];
  /** What to quote to the operator. */
  request_id: string;
}

/** What is read of a response: one of `fetch`, or of hono's client, which has its own type of one. */
export type ReadableResponse = Pick<Response, "status" | "headers" | "bodyUsed"> & {
  /** A copy of the response, whose body is read. */
  clone(): {
    /** The body's JSON. */
    json(): Promise<unknown>;
  };
};

/**
 * An answer of the edge that no result of a call describes: what the methods of {@link ClientSessions} reject with.
 *
 * @example
 * import { createClient, EdgeError } from "envoyou-edge/client";
 *
 * const api = createClient({ baseUrl: "https://api.example.com" });
 * try {
 *   await api.sessions.rotate();
 * } catch (error) {
 *   if (error instanceof EdgeError && error.code === "SESSION_INVALID") location.assign("/login");
 *   else throw error;
 * }
 */
export class EdgeError extends Error {
  /** Tells the class where `instanceof` cannot. */
  override readonly name = "EdgeError";
  /** The problem in the answer. */
  readonly problem: EdgeProblem;

  /**
   * The error of a problem: its message has the problem's code and sentence.
   *
   * @param problem The problem in the answer.
   */
  constructor(problem: EdgeProblem) {
    super(`${problem.code}: ${problem.message}`);
    this.problem = problem;
  }

  /** The problem's code. */
  get code(): EdgeProblemCode {
    return this.problem.code;
  }
}

/**
 * The edge's problem in a response, or null where the answer is the API's own, a problem of its own included. It reads a copy, so
 * that the body may still be read.
 *
 * What a middleware's `onLimited` answers is the app's own, and no problem of the edge: ask for its status, and {@link retryAfterSeconds}.
 *
 * The edge's body has its `request_id` in `X-Request-Id` too, and its title twice; an API's has not both.
 *
 * @param response A response whose body has not been read.
 * @returns the problem, or null. It does not reject: a body that is no JSON is none of the edge's.
 * @example
 * import { createClient, edgeProblem } from "envoyou-edge/client";
 *
 * const api = createClient({ baseUrl: "https://api.example.com" });
 * const problem = await edgeProblem(await api.fetch("/v1/report"));
 * if (problem?.code === "RATE_LIMIT_EXCEEDED") alert(`Try again in ${problem.retry_after} s`);
 */
export async function edgeProblem(response: ReadableResponse): Promise<EdgeProblem | null> {
  const type = response.headers.get("content-type") ?? "";
  if (response.status < 400 || response.bodyUsed || !/^application\/problem\+json *(;|$)/i.test(type))
    return null;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  return isEdgeProblem(body, response) ? body : null;
}

function isEdgeProblem(body: unknown, { status, headers }: ReadableResponse): body is EdgeProblem {
  if (typeof body !== "object" || body === null) return false;
  const { code, title, error, message, request_id, status: stated } = body as Record<string, unknown>;
  const id = headers.get("x-request-id");
  return (
    [code, title, message, request_id].every((each) => typeof each === "string") &&
    title === error &&
    stated === status &&
    // A page of another origin reads the field only where CORS exposes it.
    (id === null ? /^[0-9a-f]{32}$/.test(String(request_id)) : id === request_id)
  );
}
