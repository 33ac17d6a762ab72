import type { SessionChange } from "./session-change.ts";

/** The result of a request to the origin. A failure is a value, because the cache may have a stale answer. */
export type OriginReply =
  | {
      kind: "response";
      response: Response;
      /** The change of the client's session that the origin's response implies. */
      session?: SessionChange | null;
    }
  | {
      kind: "failed";
      status: 502 | 504 | 508;
      code: "ORIGIN_UNREACHABLE" | "ORIGIN_TIMEOUT" | "LOOP_DETECTED";
      /** The origin's status where no response can have it. */
      originStatus?: number;
    };

/** The origin as the cache sees it. */
export interface OriginFetch {
  /**
   * @param headers The client's fields, with the client's conditions replaced by the cache's.
   * @param method Default the client's. Of no effect where the origin is not {@link repeatable}.
   */
  fetch(headers: Headers, method?: "GET"): Promise<OriginReply>;
  /** Whether it can be asked again, and beside the request: a handler behind a middleware cannot. */
  repeatable: boolean;
}
