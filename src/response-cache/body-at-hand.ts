import { isHere } from "./body.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import { clientHasIt } from "./rules/preconditions.ts";
import { servedFields } from "./rules/serving.ts";

/**
 * Whether an answer to the request can be made of the entry: a long body that only the shared store holds is fetched now,
 * where the answer has one (law 9). False is a miss.
 */
export async function bodyAtHand(context: CacheContext, entry: Entry): Promise<boolean> {
  const { body, meta } = entry;
  if (isHere(body) || hasNoContent(context, entry)) return true;
  const { parts, address } = context;
  if (!(await parts.entries.fetchBody(address, entry))) return false;
  // Where others have fetched it meanwhile, theirs is held.
  if (parts.memory.variant(address, entry.variant)?.meta === meta) parts.memory.weigh(address, entry);
  return true;
}

function hasNoContent({ request, parts }: CacheContext, { meta }: Entry): boolean {
  if (request.request.method === "HEAD") return true;
  return clientHasIt(request.request, meta.status, servedFields(meta, parts.platform.now()), true);
}
