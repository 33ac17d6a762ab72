import { hex } from "./hex.ts";
import type { Platform } from "./platform.ts";

const BYTES = 16;
/** Ids per call of `randomBytes`, which costs more than formatting an id. */
const IDS_PER_DRAW = 64;

/** Creates a generator of request ids: 128 random bits each, hex. */
export function createRequestIds({ randomBytes }: Pick<Platform, "randomBytes">): () => string {
  let drawn = new Uint8Array();
  let used = 0;
  return () => {
    if (used === drawn.length) {
      drawn = randomBytes(BYTES * IDS_PER_DRAW);
      used = 0;
    }
    used += BYTES;
    return hex(drawn.subarray(used - BYTES, used));
  };
}
