import type { Context } from "hono";
import type { ConfirmedElsewhere } from "../edge/admission.ts";
import type { Findings } from "../edge/outcome.ts";
import type { Received, Stack, StackPart } from "../edge/receive.ts";
import { joinedVerdict } from "../ratelimit/joined-verdict.ts";
import type { LimitingRequest } from "../ratelimit/limiter.ts";
import type { LimitVerdict } from "../ratelimit/verdict.ts";

/** The middlewares that are handling a request, one inside of another. */
const open = new WeakMap<Context, RequestStack>();

/** What the middlewares of one request, and its handlers, tell each other. */
export class RequestStack implements LimitingRequest {
  readonly #outermost: Received;
  /** Of the middlewares that are done, the innermost first. */
  readonly #inner: StackPart[] = [];
  readonly #ofHandlers: LimitVerdict[] = [];
  #calls = 0;
  #ms = 0;
  /** The middlewares that have let the request in. */
  readonly admitted = new Set<unknown>();
  /** What the limits so far say. */
  limits: LimitVerdict | null = null;
  /** What a middleware has set as `c.var.user`; undefined where none has. */
  user: unknown;
  /** The session, where a middleware has read it. */
  confirmed: ConfirmedElsewhere | null = null;

  constructor(outermost: Received) {
    this.#outermost = outermost;
  }

  get requestId(): string {
    return this.#outermost.requestId;
  }

  /** What a handler's own limit took. */
  note({ verdict, calls, ms }: { verdict: LimitVerdict; calls: number; ms: number }): void {
    this.#ofHandlers.push(verdict);
    this.#calls += calls;
    this.#ms += ms;
  }

  /** A request as the outermost middleware receives it, or one inside of it. */
  receivedBy(received: Received): Received {
    if (received === this.#outermost) return { ...received, stack: { add: (part) => this.#all(part) } };
    const { requestId, startedAt, deferred } = this.#outermost;
    deferred.join(received.deferred);
    return { ...received, requestId, startedAt, stack: this.#inside };
  }

  readonly #inside: Stack = {
    add: (part) => {
      this.#inner.push(part);
      return null;
    },
  };

  #all(outer: StackPart): StackPart {
    const parts = [...this.#inner, outer];
    const [session] = parts.flatMap(({ findings }) => (isKnown(findings) ? findings.session : []));
    const findings: Findings = {
      ...outer.findings,
      caller: parts.find((part) => part.findings.caller !== null)?.findings.caller ?? null,
      session: session ?? outer.findings.session,
      limits: [outer, ...this.#inner.toReversed()]
        .map((part) => part.findings.limits)
        .concat(this.#ofHandlers.filter((verdict) => isShown(verdict, outer.response.headers)))
        .reduce(joinedVerdict, null),
      observed: parts.find((part) => part.findings.observed)?.findings.observed ?? null,
      storeCalls: parts.reduce((sum, part) => sum + part.findings.storeCalls, this.#calls),
      storeMs: parts.reduce((sum, part) => sum + part.findings.storeMs, this.#ms),
    };
    return {
      response: outer.response,
      findings,
      outcome: this.#outcome(outer),
      writeSession: parts.find((part) => part.writeSession)?.writeSession ?? null,
      cache: outer.cache ?? this.#inner.findLast((part) => part.cache)?.cache ?? null,
    };
  }

  /** A refusal by a middleware inside is the answer of those around it, unless the app or a cache has answered otherwise. */
  #outcome(outer: StackPart): StackPart["outcome"] {
    const { status } = outer.response;
    const refused = this.#inner.find(({ outcome, response }) => {
      return outcome.kind === "refusal" && response.status === status;
    });
    return outer.outcome.kind === "answer" && refused ? refused.outcome : outer.outcome;
  }
}

function isKnown({ session }: Findings): boolean {
  return session !== null && session.kind !== "none";
}

/** The handler has put the fields of its limit into the answer. */
function isShown({ headers }: LimitVerdict, answer: Headers): boolean {
  const limit = headers["X-RateLimit-Limit"];
  if (limit === undefined || answer.get("x-ratelimit-limit") !== limit) return false;
  return answer.get("ratelimit-policy") === (headers["RateLimit-Policy"] ?? null);
}

/** Whether a middleware has let the request in already: used for all paths and again for a route, it decides and counts once. */
export function isInside(c: Context, middleware: unknown): boolean {
  return open.get(c)?.admitted.has(middleware) ?? false;
}

/** Runs a middleware as one inside of those that handle the request already, or as the outermost. */
export async function inStack<Result>(
  c: Context,
  receive: (requestId?: string) => Received,
  run: (received: Received, stack: RequestStack) => Promise<Result>,
): Promise<Result> {
  const around = open.get(c);
  if (around) return run(around.receivedBy(receive(around.requestId)), around);
  const received = receive();
  const stack = new RequestStack(received);
  open.set(c, stack);
  try {
    return await run(stack.receivedBy(received), stack);
  } finally {
    open.delete(c);
  }
}
