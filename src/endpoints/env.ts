import type { Findings } from "../edge/outcome.ts";
import type { Received } from "../edge/receive.ts";
import type { SessionChange } from "../request/session-change.ts";
import type { SessionVerdict } from "../session/verdict.ts";

/** The context of the edge's own endpoints. */
export interface EndpointEnv {
  Bindings: { received: Received };
  Variables: {
    requestId: string;
    /** Set where the request's identity was checked. */
    findings?: Findings;
    session?: SessionVerdict;
    /** The endpoint's change to the client's session. */
    sessionChange?: SessionChange;
    /** The response is complete already: it comes from the origin. */
    finished?: boolean;
  };
}
