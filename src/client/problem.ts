import type { ProblemCode } from "../http/problem-codes.ts";

/** The codes of the edge's problems; `HTTP_<status>` is what a handler behind the middlewares threw. */
export type EdgeProblemCode = ProblemCode | `HTTP_${number}`;

/** A refusal or a failure of the edge, as its body states it (RFC 9457). */
export interface EdgeProblem {
  type: string;
  title: string;
  status: number;
  code: EdgeProblemCode;
  /** The same as `title`. */
  error: string;
  /** One sentence for people, with what to do. */
  message: string;
  /** Whole seconds; only where waiting helps. */
  retry_after?: number;
  /** Names of the limits without room, of `RATE_LIMIT_EXCEEDED`. */
  "violated-policies"?: string[];
  /** What to quote to the operator. */
  request_id: string;
}

/** What is read of a response: hono's client has its own type of one. */
export type ReadableResponse = Pick<Response, "status" | "headers" | "bodyUsed"> & {
  clone(): { json(): Promise<unknown> };
};

/** An answer of the edge that no result of a call describes. */
export class EdgeError extends Error {
  override readonly name = "EdgeError";
  readonly problem: EdgeProblem;

  constructor(problem: EdgeProblem) {
    super(`${problem.code}: ${problem.message}`);
    this.problem = problem;
  }

  get code(): EdgeProblemCode {
    return this.problem.code;
  }
}

/**
 * The edge's problem in a response, or null where the answer is the API's own, a problem of its own included. It reads a copy, so
 * that the body may still be read.
 *
 * The edge's body has its `request_id` in `X-Request-Id` too, and its title twice; an API's has not both.
 *
 * @example
 * const problem = await edgeProblem(response);
 * if (problem?.code === "RATE_LIMIT_EXCEEDED") show(`Try again in ${problem.retry_after} s`);
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
