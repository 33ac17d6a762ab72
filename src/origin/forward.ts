import { isWebSocketUpgrade } from "../http/hop-by-hop.ts";
import { type FailureCode, ORIGIN_GONE, ORIGIN_LATE, type OriginFailure } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";
import { type Waits, waitsOf } from "../runtime/waits.ts";
import { type Sending, type Sent, sendContent } from "./request-body.ts";

export interface ForwardInput {
  url: Pick<URL, "href">;
  method: string;
  headers: Headers;
  /** The client's content, streamed. */
  body: ReadableStream<Uint8Array> | null;
  fetch: Platform["fetch"];
  platform: Pick<Platform, "timer" | "now">;
  /** Milliseconds from the end of the request's content until the response's header fields must have arrived. */
  deadlineMs: number;
  via: string;
  /** What Cloudflare is told of the request, where `fetch` is its network's. Default nothing. */
  cf?: RequestInitCfProperties | undefined;
  /**
   * By which it may be given up: before its answer, or with its body. Default the runtime ends what is given up, with the invocation: to
   * listen to a signal is 1.5 % of a request's CPU.
   */
  abort?: AbortController | undefined;
}

const failed = (status: 400 | 408 | 508, code: FailureCode) => ({ kind: "failed", status, code }) as const;

/** What comes of a request whose content did not arrive. */
const UNSENT: Readonly<Record<Exclude<Sent, "sent">, OriginFailure>> = {
  "client stalled": failed(408, "CONTENT_STALLED"),
  "client broke off": failed(400, "CONTENT_BROKEN_OFF"),
  "origin stalled": ORIGIN_LATE,
  "origin broke off": ORIGIN_GONE,
};

/** The answer's fields, and what its reader goes on to wait by, or ends: the request's last wait is not over. */
export interface Forwarded {
  kind: "response";
  response: Response;
  waits: Waits;
  /** Gives up what has not come of it. */
  abandon(): void;
}

type Answered = Pick<Forwarded, "kind" | "response">;

/** Sends a request to the origin. It streams all but a short body, and follows no redirect. Failures are values; it never throws. */
export async function forward(input: ForwardInput): Promise<Forwarded | OriginFailure> {
  if (comesFromHere(input.headers, input.via)) return failed(508, "LOOP_DETECTED");
  const { method, headers, platform, abort } = input;
  const waits = waitsOf(platform);
  const bodyless = method === "GET" || method === "HEAD";
  const sending =
    bodyless || !input.body ? null : await sendContent(input.body, headers, { platform, waits });
  if (typeof sending === "string") return UNSENT[sending];
  let over = false;
  const reply = await new Promise<Answered | OriginFailure>((resolve) => {
    const beginDeadline = () => {
      if (!over) waits.next(input.deadlineMs, () => resolve(ORIGIN_LATE));
    };
    // An origin that closes its side may have answered: its answer counts, and has as long as any other.
    void sending?.ended.then((sent) => {
      if (sent === "sent" || sent === "origin broke off") beginDeadline();
      else resolve(UNSENT[sent]);
    });
    if (!sending) beginDeadline();
    void answerOf(input, sending?.body ?? null).then(resolve);
  });
  over = true;
  sending?.answered();
  if (reply.kind === "failed") {
    waits.stop();
    abort?.abort();
    sending?.stop();
    return reply;
  }
  return { kind: "response", response: reply.response, waits, abandon: () => abort?.abort() };
}

async function answerOf(
  { url, method, headers, fetch, cf, abort }: ForwardInput,
  body: Sending["body"] | null,
): Promise<Answered | OriginFailure> {
  try {
    const response = await fetch(url.href, {
      method,
      headers,
      body,
      redirect: "manual",
      ...(abort && { signal: abort.signal }),
      ...(cf && { cf }),
      // The body in its content coding, as sent: the runtime would decode what is read.
      encodeResponseBody: "manual",
    });
    if (isFinal(response, { method, headers })) return { kind: "response", response };
    return { ...ORIGIN_GONE, originStatus: response.status };
  } catch {
    return ORIGIN_GONE;
  }
}

/**
 * The runtime takes an informational answer for the final one, and what follows it is lost (RFC 9110 §15.2); a switch of
 * protocols is an answer only to whoever asked for it (§15.2.2), and the only one the edge asks for is a WebSocket; and no
 * response can be made with a status that is none (§15).
 */
function isFinal({ status, webSocket }: Response, asked: Pick<Request, "method" | "headers">): boolean {
  if (status === 101) return isWebSocketUpgrade(asked) && webSocket !== null;
  return status >= 200 && status <= 599;
}

/** Whether `Via` names this edge twice. This request added one of them, so the other is a loop's (RFC 9110 §7.6.3). */
function comesFromHere(headers: Headers, via: string): boolean {
  const field = headers.get("via");
  if (!field?.includes(",")) return false;
  const names = field.split(",").map((entry) => entry.trim().split(/\s+/)[1]);
  return names.filter((name) => name === via).length > 1;
}
