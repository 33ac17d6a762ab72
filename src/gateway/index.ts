/** To the origin and back: what it is sent, what it may say, and how an attempt may end. */
export { type ForwardInput, forward, type OriginReply } from "./forward.ts";
export { dropHopByHop } from "./hop-by-hop.ts";
export { ambiguityOf, originUrl } from "./path.ts";
export { isWebSocketUpgrade, type OriginHeadersInput, originHeaders } from "./request-headers.ts";
export { type CleanResponseOptions, cleanResponse, type OriginSignals } from "./response-headers.ts";
