import { bearerField } from "../http/bearer.ts";
import { boundedText } from "../http/bounded-text.ts";
import type { Platform } from "../runtime/platform.ts";
import {
  commandError,
  isQuotaError,
  isSizeError,
  notUnderstood,
  StoreError,
  type StoreErrorCode,
} from "./errors.ts";

/** Bytes of the longest reply that is read, unpacked (law 5): an isolate has 128 MB, and several requests read at a time. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/** A command as it is sent: its name and its arguments, each a JSON string, number or boolean. */
export type Command = readonly unknown[];

/** One item of a pipeline's reply, as Upstash's REST API writes it. */
export type ReplyItem = { result: unknown; error?: never } | { error: string; result?: never };

/** What one HTTP call brought back. */
export interface PipelineReply {
  /** One for each command, in their order. */
  items: ReplyItem[];
  /** Upstash's consistency token: a later read that sends it sees at least these writes. */
  syncToken: string | undefined;
}

export interface TransportOptions {
  /** `https://….upstash.io`, with or without a trailing slash. */
  url: string;
  token: string;
  platform: Pick<Platform, "fetch" | "timer">;
  /**
   * Whether a call that is given up is aborted. Default it is left alone: the runtime ends what a Worker's invocation leaves, and to
   * listen to a signal is 1.5 % of a request's CPU. Outside of an invocation nobody else ends it.
   */
  aborts?: boolean;
}

/** The commands of one HTTP call. */
export interface Pipelined {
  commands: readonly Command[];
  /** Sent as `upstash-sync-token`. */
  syncToken?: string | undefined;
  /** `multi-exec` runs the commands as one transaction. Default `pipeline`. */
  path?: "pipeline" | "multi-exec";
}

export interface PipelineCall extends Pipelined {
  /** Milliseconds until the call is given up, body included. */
  deadlineMs: number;
  /** What is done once, where no reply has come after so many ms, fewer than `deadlineMs`. The call goes on. */
  whenLate?: { afterMs: number; run(): void };
}

/**
 * One POST to Upstash: one attempt, one deadline, one typed error.
 *
 * It replaces the SDK's own HTTP client, which retries commands that may already have been applied, turns an aborted call
 * into an empty success, and puts whole commands with their values into its errors. It sends no telemetry.
 *
 * It asks for replies as plain JSON strings (no `Upstash-Encoding`): all that the edge stores is text.
 *
 * @returns a function that rejects with a StoreError and nothing else.
 */
export function createTransport({ url, token, platform, aborts = false }: TransportOptions) {
  const base = url.replace(/\/+$/, "");

  return function send(call: PipelineCall): Promise<PipelineReply> {
    return new Promise((resolve, reject) => {
      const abort = aborts ? new AbortController() : null;
      const { deadlineMs, whenLate } = call;
      // Does not wait for the fetch to notice that it is aborted.
      const end = () => {
        reject(new StoreError("timeout", `The store did not answer within ${deadlineMs} ms`));
        abort?.abort();
      };
      // One timer at a time: most calls are over before the first, and to set one costs as much as to read a short reply.
      let cancel = platform.timer(whenLate?.afterMs ?? deadlineMs, () => {
        if (!whenLate) return end();
        cancel = platform.timer(deadlineMs - whenLate.afterMs, end);
        whenLate.run();
      });
      attempt(call, abort).then(
        (reply) => {
          cancel();
          resolve(reply);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  };

  async function attempt(call: PipelineCall, abort: AbortController | null): Promise<PipelineReply> {
    const headers: Record<string, string> = {
      authorization: bearerField(token),
      "content-type": "application/json",
    };
    if (call.syncToken) headers["upstash-sync-token"] = call.syncToken;

    let response: Response;
    let text: string;
    try {
      response = await platform.fetch(`${base}/${call.path ?? "pipeline"}`, {
        method: "POST",
        headers,
        body: JSON.stringify(call.commands),
        redirect: "manual",
        ...(abort && { signal: abort.signal }),
      });
      text = await textOf(response);
    } catch (cause) {
      if (cause instanceof RangeError) throw notUnderstood();
      // The cause is dropped on purpose: runtimes put the URL, and some the whole request, into it.
      throw new StoreError("unreachable", "The store could not be reached");
    }
    if (!response.ok) throw statusError(call, response.status, text);
    return {
      items: replyItems(call, text),
      syncToken: response.headers.get("upstash-sync-token") || undefined,
    };
  }
}

/** Nearly every reply says that it is short, and is: the runtime reads it with less work. @throws RangeError where it is too long. */
function textOf(response: Response): Promise<string> {
  const { headers } = response;
  // What is packed tells no length: a coding is no number.
  const length = headers.get("content-encoding") ?? headers.get("content-length") ?? Number.NaN;
  return Number(length) <= MAX_REPLY_BYTES ? response.text() : boundedText(response, MAX_REPLY_BYTES);
}

export type Transport = ReturnType<typeof createTransport>;

function statusError(call: Pipelined, status: number, body: string): StoreError {
  const code = codeOf(status, body);
  const discarded = code === "server" && status === 400 && transactionError(call, parsed(body));
  return discarded || new StoreError(code, `The store answered with status ${status}`, { status });
}

function codeOf(status: number, body: string): StoreErrorCode {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 413 || isSizeError(body)) return "size";
  return status === 429 || isQuotaError(body) ? "throttled" : "server";
}

function replyItems(call: Pipelined, text: string): ReplyItem[] {
  const body = parsed(text);
  const expected = call.commands.length;
  if (!Array.isArray(body) || body.length !== expected || !body.every(isReplyItem))
    throw transactionError(call, body) ?? notUnderstood();
  const lost = outageIn(body);
  if (lost) throw lost;
  return body;
}

/** What Redis says where it serves nobody, or nobody with this token. */
const SERVES_NOBODY: ReadonlySet<StoreErrorCode> = new Set(["server", "unauthorized"]);

/**
 * The outage that a reply of status 200 tells of (law 3): a used-up quota, or that Redis refuses whatever it is sent. What it refuses
 * beside other commands is no outage.
 */
function outageIn(items: readonly ReplyItem[]): StoreError | undefined {
  const errors = items.flatMap(({ error }) => (error === undefined ? [] : [commandError(error)]));
  const isRefused = errors.length === items.length && errors.every(({ code }) => SERVES_NOBODY.has(code));
  return isRefused ? errors[0] : errors.find(({ code }) => code === "throttled");
}

/** A transaction that Redis discards as a whole has one error in place of a list. */
function transactionError({ path, commands }: Pipelined, body: unknown): StoreError | undefined {
  if (path !== "multi-exec" || !isReplyItem(body) || body.error === undefined) return undefined;
  return commandError(body.error, commands.length === 1 ? commands[0]?.[0] : "exec");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isReplyItem(item: unknown): item is ReplyItem {
  if (typeof item !== "object" || item === null) return false;
  return "error" in item ? typeof item.error === "string" : "result" in item;
}
