import type { Platform } from "../runtime/platform.ts";
import { StoreError } from "./errors.ts";

/** One item of a pipeline's reply, as Upstash's REST API writes it. */
export type ReplyItem = { result: unknown; error?: never } | { error: string; result?: never };

/** What one HTTP call brought back. */
export interface PipelineReply {
  items: ReplyItem[];
  /** Upstash's consistency token: a later read that carries it sees at least these writes. */
  syncToken: string | undefined;
}

export interface TransportOptions {
  /** `https://….upstash.io`, without a trailing slash. */
  url: string;
  token: string;
  platform: Platform;
}

export interface PipelineCall {
  commands: readonly (readonly unknown[])[];
  /** Milliseconds until the call is given up, body included. */
  deadlineMs: number;
  syncToken?: string | undefined;
}

/**
 * One POST to `/pipeline`: one attempt, one deadline, one typed error.
 *
 * It stands where the SDK's own HTTP client would, because that one retries commands that may already have been applied,
 * turns an aborted call into an empty success, and puts whole commands with their values into its errors.
 *
 * Replies are asked for as plain JSON strings (no `Upstash-Encoding`): all that the edge stores is text.
 */
export function createTransport({ url, token, platform }: TransportOptions) {
  const endpoint = `${url.replace(/\/+$/, "")}/pipeline`;

  return async function send(call: PipelineCall): Promise<PipelineReply> {
    const abort = new AbortController();
    let expire: (error: StoreError) => void = () => {};
    const expired = new Promise<never>((_, reject) => {
      expire = reject;
    });
    expired.catch(() => {});
    const cancel = platform.timer(call.deadlineMs, () => {
      expire(new StoreError("timeout", `The store did not answer within ${call.deadlineMs} ms`));
      abort.abort();
    });
    try {
      return await Promise.race([attempt(call, abort.signal), expired]);
    } finally {
      cancel();
    }
  };

  async function attempt(call: PipelineCall, signal: AbortSignal): Promise<PipelineReply> {
    const headers: Record<string, string> = {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    };
    if (call.syncToken) headers["upstash-sync-token"] = call.syncToken;

    let response: Response;
    let text: string;
    try {
      response = await platform.fetch(endpoint, {
        method: "POST",
        headers,
        body: JSON.stringify(call.commands),
        redirect: "manual",
        signal,
      });
      text = await response.text();
    } catch {
      // The cause is dropped on purpose: runtimes put the URL, and some the whole request, into it.
      throw new StoreError("unreachable", "The store could not be reached, or the connection broke");
    }
    if (!response.ok) throw statusError(response.status, text);
    return {
      items: replyItems(text, call.commands.length),
      syncToken: response.headers.get("upstash-sync-token") || undefined,
    };
  }
}

export type Transport = ReturnType<typeof createTransport>;

function statusError(status: number, body: string): StoreError {
  if (status === 401 || status === 403) {
    return new StoreError("unauthorized", `The store refused the token (${status})`, { status });
  }
  if (status === 429 || /max (daily )?requests? limit exceeded/i.test(body)) {
    return new StoreError("throttled", `The store is limiting this client (${status})`, { status });
  }
  return new StoreError("server", `The store answered with status ${status}`, { status });
}

function replyItems(text: string, expected: number): ReplyItem[] {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new StoreError("malformed", "The store's reply is not JSON");
  }
  if (!Array.isArray(body)) throw new StoreError("malformed", "The store's reply is not a list");
  if (body.length !== expected) {
    throw new StoreError("malformed", `The store answered ${body.length} commands of ${expected}`);
  }
  if (!body.every(isReplyItem))
    throw new StoreError("malformed", "An item of the store's reply is neither result nor error");
  return body;
}

function isReplyItem(item: unknown): item is ReplyItem {
  if (typeof item !== "object" || item === null) return false;
  return "error" in item ? typeof item.error === "string" : "result" in item;
}
