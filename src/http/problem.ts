import { PROBLEMS, type ProblemCode, type ProblemKind } from "./problem-codes.ts";

/** What went wrong, for whoever called. Never holds a value, a key or an address. */
export interface ProblemFacts extends Omit<ProblemKind, "challenge"> {
  /** For programs. `HTTP_<status>` is what a handler behind the edge threw. */
  code: ProblemCode | `HTTP_${number}`;
  /** Further members of the body, e.g. `violated-policies`. */
  members?: Record<string, unknown>;
  /** A list, because a refusal may have to clear two cookies. */
  headers?: readonly (readonly [string, string])[] | Record<string, string>;
}

/** What the place where a problem occurs knows beyond the catalogue. */
export interface ProblemDetails {
  /** In place of the catalogue's sentence. */
  message?: string;
  /** Whole seconds. */
  retryAfter?: number;
  members?: Record<string, unknown>;
  /** Beside the catalogue's challenge. */
  headers?: Record<string, string>;
}

/** The words in braces of a text. */
type Blanks<Text> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Blanks<Rest> : never;
type BlanksOf<Code extends ProblemCode> = Blanks<(typeof PROBLEMS)[Code]["message"]>;

/** The details of a problem: where its sentence has words in braces, `values` for each of them. */
export type DetailsOf<Code extends ProblemCode> = [BlanksOf<Code>] extends [never]
  ? [details?: ProblemDetails]
  : [details: ProblemDetails & { values: Record<BlanksOf<Code>, string | number> }];

/** A refusal or a failure that ends a request with a problem body. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly facts: ProblemFacts;

  constructor(facts: ProblemFacts) {
    super(facts.message);
    this.facts = facts;
  }

  /** Whether {@link getResponse} was asked for: whoever asked wants the problem as the answer. */
  isAnswer = false;

  get code(): ProblemFacts["code"] {
    return this.facts.code;
  }

  /**
   * Hono's error handler answers with this where a handler behind the middleware throws it and the app has no `onError` that answers
   * in another way. The middleware then writes the same problem anew, with the request's id.
   */
  getResponse(): Response {
    this.isAnswer = true;
    return problemResponse(this.facts, "");
  }
}

/** The problem of a code of the catalogue, to be thrown. */
export function problem<Code extends ProblemCode>(code: Code, ...details: DetailsOf<Code>): Problem {
  return new Problem(problemFacts(code, ...details));
}

/** The same as data. */
export function problemFacts<Code extends ProblemCode>(
  code: Code,
  ...[details = {}]: DetailsOf<Code>
): ProblemFacts {
  const { challenge, ...kind }: ProblemKind = PROBLEMS[code];
  const {
    values = {},
    headers,
    ...given
  }: ProblemDetails & { values?: Record<string, string | number> } = details;
  const message = kind.message.replace(/\{(\w+)\}/g, (_blank, name: string) => String(values[name]));
  const all = { ...(challenge !== undefined && { "www-authenticate": challenge }), ...headers };
  return { ...kind, message, ...given, code, ...(Object.keys(all).length > 0 && { headers: all }) };
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
