// Calls to the edge. The token is in this module's memory alone: a reload forgets it.

import { learnTime } from "./time.js";

let token = "";

/** How long an answer may take, ms. Warming has no such bound: it answers line by line. */
const PATIENCE_MS = 20_000;

/** What went wrong, as the edge or the network says it. */
export class Refused extends Error {
  /**
   * @param status 0: there was no answer.
   * @param problem The members of a problem body (RFC 9457).
   */
  constructor(status, problem) {
    super(problem.title ?? "");
    this.name = "Refused";
    this.status = status;
    this.problem = problem;
  }
}

export function useToken(text) {
  token = text;
}

export const hasToken = () => token !== "";

/**
 * Asks for JSON.
 *
 * @returns The status and the body.
 * @throws Refused
 */
export async function call(method, path, body, signal) {
  const bound = AbortSignal.timeout(PATIENCE_MS);
  const response = await send(method, path, body, signal ? AbortSignal.any([signal, bound]) : bound);
  const answered = await json(response);
  learnTime(answered?.now);
  return { status: response.status, body: answered };
}

/**
 * Posts, and hands on each line of the answer as it arrives.
 *
 * @throws Refused
 */
export async function callLines(path, body, onLine, signal) {
  const response = await send("POST", path, body, signal);
  let rest = "";
  try {
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + (value ?? "")).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line.trim() !== "") onLine(JSON.parse(line));
      if (done) return;
    }
  } catch (error) {
    throw signal?.aborted ? error : unanswered("The answer broke off before its end.");
  }
}

async function send(method, path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/json, application/x-ndjson, application/problem+json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
      // Of a sign-in in front of this host, which asks every request for its cookie. The edge's endpoints read none.
      credentials: "same-origin",
      cache: "no-store",
      redirect: "manual",
      referrerPolicy: "no-referrer",
    });
  } catch (error) {
    if (error?.name === "AbortError") throw error;
    const late = error?.name === "TimeoutError";
    const what = late ? `did not answer within ${PATIENCE_MS / 1000} seconds` : "could not be reached";
    throw unanswered(
      `The edge ${what}.${method === "GET" ? "" : " Whether it did what was asked is not known."}`,
    );
  }
  if (response.ok) return response;
  if (response.type === "opaqueredirect") throw unanswered(SENT_ELSEWHERE);
  throw new Refused(response.status, await problemOf(response));
}

/** No endpoint of the edge redirects. */
const SENT_ELSEWHERE =
  "Something in front of the edge sends elsewhere, as a sign-in does when it is over. Reload the page to sign in there again.";

function unanswered(message) {
  return new Refused(0, { title: "No answer", message });
}

async function json(response) {
  try {
    return await response.json();
  } catch {
    throw unanswered("The answer is not JSON, or it broke off.");
  }
}

/** A problem's members; what is no problem is told by its status. */
async function problemOf(response) {
  const retryAfter = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  const requestId = response.headers.get("x-request-id");
  let body = null;
  try {
    body = await response.json();
  } catch {
    // A body of another kind says nothing that the status does not say.
  }
  return {
    ...(Number.isFinite(retryAfter) && { retry_after: retryAfter }),
    ...(requestId && { request_id: requestId }),
    ...(typeof body === "object" && body !== null ? body : { title: `Status ${response.status}` }),
  };
}
