import type { OriginReply } from "../origin/forward.ts";

/** The origin as the cache sees it. */
export interface OriginFetch {
  /** @param headers The client's fields, with the client's conditions replaced by the cache's. */
  fetch(headers: Headers): Promise<OriginReply>;
  /** Whether it can be asked again, and in the background: a handler behind a middleware cannot. */
  repeatable: boolean;
}
