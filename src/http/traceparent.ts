import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";

/**
 * W3C Trace Context §3.2: ids that are not all zero, in lower case. What version 00 says stands at the same places in a later one, and
 * more may follow there; `ff` is no version.
 */
const TRACEPARENT =
  /^(?!ff)(?:00(?=.{53}$)|(?!00)[0-9a-f]{2}(?=.{53}(?:-|$)))-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})/;

/** The flags that are known: sampled, and that the trace's id is random (Trace Context 2). All others are set to 0 (§3.2.2.5.2). */
const KNOWN_FLAGS = 0b11;

/** The trace that goes on at the origin. */
export interface Trace {
  traceparent: string;
  /** Whether it is the caller's. What `tracestate` says belongs to the caller's alone (§3.3). */
  continued: boolean;
}

/** The trace for the origin: the caller's with a span of ours, or a new one that is not sampled. */
export function traceFor(incoming: string | null, platform: Pick<Platform, "randomBytes">): Trace {
  const [, trace, flags = "00"] = TRACEPARENT.exec(incoming ?? "") ?? [];
  if (trace === undefined) {
    const ids = hex(platform.randomBytes(24));
    return { traceparent: `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`, continued: false };
  }
  const known = (Number.parseInt(flags, 16) & KNOWN_FLAGS).toString(16).padStart(2, "0");
  return { traceparent: `00-${trace}-${hex(platform.randomBytes(8))}-${known}`, continued: true };
}
