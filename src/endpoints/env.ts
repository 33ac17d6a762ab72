import type { Findings } from "../edge/finish.ts";
import type { Received } from "../edge/receive.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { SessionVerdict } from "../session/verdict.ts";

/** What the edge's own endpoints find in the context. */
export interface EndpointEnv {
  Bindings: { received: Received };
  Variables: {
    /** Set where the request was identified. */
    findings?: Findings;
    session?: SessionVerdict;
    /** What an endpoint did to the client's session. */
    sessionChange?: SessionChange;
    /** The response is complete: a path under the edge's that is the origin's. */
    finished?: boolean;
  };
}
