import { hex } from "../runtime/hex.ts";
import type { Platform } from "../runtime/platform.ts";

/** W3C Trace Context §3.2: version 00, ids that are not all zero. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The `traceparent` for the origin: the caller's trace with a span of ours, or a new trace, not sampled. */
export function traceparent(incoming: string | null, platform: Pick<Platform, "randomBytes">): string {
  const [, trace = hex(platform.randomBytes(16)), flags = "00"] = TRACEPARENT.exec(incoming ?? "") ?? [];
  return `00-${trace}-${hex(platform.randomBytes(8))}-${flags}`;
}
