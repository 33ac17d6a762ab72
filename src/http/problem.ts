/** What went wrong, for whoever called. Never holds a value, a key or an address. */
export interface ProblemFacts {
  /** HTTP status. */
  status: number;
  /** For programs: `RATE_LIMIT_EXCEEDED`, `SESSION_REQUIRED` … */
  code: string;
  /** A short name of the kind of problem: RFC 9457 `title`, and `error` for the frontends. */
  title: string;
  /** One sentence for people, with what to do about it. */
  message: string;
  /** RFC 9457 `type`, a URI. Default `about:blank`. */
  type?: string;
  /** Whole seconds: the `Retry-After` header and `retry_after`. */
  retryAfter?: number;
  /** Further members of the body, e.g. `violated-policies`. */
  members?: Record<string, unknown>;
  /** A list, because a refusal may have to clear two cookies. */
  headers?: readonly (readonly [string, string])[] | Record<string, string>;
}

/** A refusal or a failure that ends a request with a problem body. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly facts: ProblemFacts;

  constructor(facts: ProblemFacts) {
    super(facts.message);
    this.facts = facts;
  }

  get code(): string {
    return this.facts.code;
  }
}

/**
 * An RFC 9457 body that also carries what Envoyou's frontends read: `error`, `message`, `code`, `status`, `retry_after`,
 * `request_id`. It has no `detail`: one of those frontends retries any 429 that has one.
 */
export function problemResponse(facts: ProblemFacts, requestId: string): Response {
  const { status, code, title, message, type = "about:blank", retryAfter, members } = facts;
  const headers = problemHeaders(facts);
  headers.set("content-type", "application/problem+json");
  headers.set("cache-control", "no-store");
  headers.set("x-request-id", requestId);
  if (retryAfter !== undefined) headers.set("retry-after", String(retryAfter));
  const body = {
    type,
    title,
    status,
    code,
    error: title,
    message,
    ...(retryAfter === undefined ? {} : { retry_after: retryAfter }),
    ...members,
    request_id: requestId,
  };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}

/** The headers that the facts name, cookies kept apart. */
export function problemHeaders({ headers: given = [] }: Pick<ProblemFacts, "headers">): Headers {
  const headers = new Headers();
  const pairs = isPairs(given) ? given : Object.entries(given);
  for (const [name, value] of pairs) {
    if (name.toLowerCase() === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
  return headers;
}

function isPairs(
  headers: NonNullable<ProblemFacts["headers"]>,
): headers is readonly (readonly [string, string])[] {
  return Array.isArray(headers);
}
