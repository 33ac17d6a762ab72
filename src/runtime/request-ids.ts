import { hex } from "./hex.ts";
import type { Platform } from "./platform.ts";

const BYTES = 16;
/** Ids per call of `randomBytes` and `hex`. A call of the first costs more than an id of it. */
const IDS_PER_DRAW = 64;

/** Creates a generator of request ids: 128 random bits each, hex. */
export function createRequestIds({ randomBytes }: Pick<Platform, "randomBytes">): () => string {
  let drawn = "";
  let used = 0;
  return () => {
    if (used === drawn.length) {
      drawn = hex(randomBytes(BYTES * IDS_PER_DRAW));
      used = 0;
    }
    used += 2 * BYTES;
    return drawn.slice(used - 2 * BYTES, used);
  };
}
