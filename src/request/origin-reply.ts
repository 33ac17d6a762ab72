import type { SessionChange } from "./session-change.ts";

/** How an attempt to reach the origin ended. A failure is a value: the cache may have something stale to give. */
export type OriginReply =
  | {
      kind: "response";
      response: Response;
      /** What the origin said of the client's session. */
      session?: SessionChange | null;
    }
  | {
      kind: "failed";
      status: 502 | 504 | 508;
      code: "ORIGIN_UNREACHABLE" | "ORIGIN_TIMEOUT" | "LOOP_DETECTED";
      /** The status that the origin answered with, where it is one that no response can have. */
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
