import { isWebSocketUpgrade } from "../http/hop-by-hop.ts";
import type { OriginReply } from "../request/origin-reply.ts";
import type { Platform } from "../runtime/platform.ts";

export interface ForwardInput {
  url: URL;
  method: string;
  headers: Headers;
  /** The client's body, streamed. */
  body: ReadableStream | null;
  fetch: Platform["fetch"];
  platform: Pick<Platform, "timer">;
  /** Milliseconds until the response's header fields must have arrived. It does not limit the body. */
  deadlineMs: number;
  via: string;
}

const UNREACHABLE = { kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" } as const;

/** Sends a request to the origin. It streams both bodies and follows no redirect. Failures are values; it never throws. */
export async function forward(input: ForwardInput): Promise<OriginReply> {
  if (comesFromHere(input.headers, input.via)) return { kind: "failed", status: 508, code: "LOOP_DETECTED" };
  const abort = new AbortController();
  let late = false;
  const cancel = input.platform.timer(input.deadlineMs, () => {
    late = true;
    abort.abort();
  });
  const bodyless = input.method === "GET" || input.method === "HEAD";
  try {
    const response = await input.fetch(input.url.href, {
      method: input.method,
      headers: input.headers,
      body: bodyless ? null : input.body,
      redirect: "manual",
      // The timer ends with the header section, so that the signal ends neither a stream nor a WebSocket.
      signal: abort.signal,
    });
    if (isFinal(response, input.headers)) return { kind: "response", response };
    return { ...UNREACHABLE, originStatus: response.status };
  } catch {
    return late ? { kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" } : UNREACHABLE;
  } finally {
    cancel();
  }
}

/**
 * The runtime takes an informational answer for the final one, and what follows it is lost (RFC 9110 §15.2); a switch of
 * protocols is an answer only to whoever asked for it (§15.2.2), and the only one the edge asks for is a WebSocket; and no response can be made with a status that is none
 * (§15).
 */
function isFinal({ status, webSocket }: Response, asked: Headers): boolean {
  if (status === 101) return isWebSocketUpgrade(asked) && webSocket !== null;
  return status >= 200 && status <= 599;
}

/** Whether `Via` names this edge twice. This request added one of them, so the other is a loop's (RFC 9110 §7.6.3). */
function comesFromHere(headers: Headers, via: string): boolean {
  const names = (headers.get("via") ?? "").split(",").map((entry) => entry.trim().split(/\s+/)[1]);
  return names.filter((name) => name === via).length > 1;
}
