import type { SessionChange } from "./session-change.ts";

/** The result of a request to the origin. A failure is a value, because the cache may have a stale answer. */
export type OriginReply = OriginAnswer | OriginFailure;

/** There is an answer. */
export interface OriginAnswer {
  kind: "response";
  response: Response;
  /** The response was made for this request alone, so that its fields can be changed as they are. Default false. */
  made?: boolean;
  /** All of the response's body, where it has been read. Default it has not. */
  bytes?: Uint8Array<ArrayBuffer> | undefined;
  /** The change of the client's session that the origin's response implies. */
  session?: SessionChange | null;
}

/** There is no answer. */
export interface OriginFailure {
  kind: "failed";
  status: 400 | 408 | 502 | 504 | 508;
  code: FailureCode;
  /** The origin's status where no response can have it. */
  originStatus?: number;
  /** What the origin had answered when its answer failed in its body: what it says was done is done. */
  answered?: { status: number; headers: Headers };
}

/** The origin did not answer in time, or its answer stood still. */
export const ORIGIN_LATE: OriginFailure = { kind: "failed", status: 504, code: "ORIGIN_TIMEOUT" };
/** There is no connection to the origin, or it broke off. */
export const ORIGIN_GONE: OriginFailure = { kind: "failed", status: 502, code: "ORIGIN_UNREACHABLE" };

/** Why there is no answer. With the first two it is the client that did not send its content. */
export type FailureCode =
  | "CONTENT_STALLED"
  | "CONTENT_BROKEN_OFF"
  | "ORIGIN_UNREACHABLE"
  | "ORIGIN_TIMEOUT"
  | "LOOP_DETECTED";

export interface OriginFetchOptions {
  /** Default the client's. Of no effect where the origin is not {@link OriginFetch.repeatable}. */
  method?: "GET";
  /**
   * The requester needs a short body (`isShortBody`) to its end before it answers: the reply has its {@link OriginAnswer.bytes}. The
   * body of a handler is its own, and comes as it is. Default false.
   */
  asBytes?: boolean;
}

/** A request to the origin that was sent before it was known whether it is needed. */
export interface EagerReply {
  /** When it was sent, ms since the epoch. */
  sentAt: number;
  /** Adopts it: from now on it is a request like any other. To be called once. */
  adopt(options?: OriginFetchOptions): Promise<OriginReply>;
  /** Its answer is of no use. */
  giveUp(): void;
}

/** The origin as the cache sees it. */
export interface OriginFetch {
  /** @param headers The client's fields, with the client's conditions replaced by the cache's. */
  fetch(headers: Headers, options?: OriginFetchOptions): Promise<OriginReply>;
  /** In place of a {@link fetch}, where the request was sent already. Default none was. */
  eager?: EagerReply | undefined;
  /** To be told where an answer that {@link fetch} brought fails in its body. */
  failed?(failure: OriginFailure): void;
  /** Whether it can be asked again, and beside the request: a handler behind a middleware cannot. */
  repeatable: boolean;
}
