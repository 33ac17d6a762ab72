import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { Finding } from "./entry-store.ts";
import { isForRequester } from "./usable.ts";

/** Reads what the search brought, once the batch is back. */
export type Found = () => Entry | null | Promise<Entry | null>;

/**
 * Looks for the entry of a request: in the isolate, and where that cannot answer alone, in the store that all isolates
 * share, whose command is queued on the batch.
 */
export async function lookUp(context: CacheContext, batch: Batch): Promise<Found> {
  const { parts, address, selecting } = context;
  const { memory, entries, withdrawals } = parts;
  const purgesSince = withdrawals.purgesSince;
  let held = memory.held(address, selecting);
  if (held && purgesSince === null) return () => held;
  await selecting.hide();
  held ??= memory.held(address, selecting);
  const query = { selecting, heldId: held?.id ?? null, purgesSince };
  const finding = Promise.resolve(entries.find(address, query, batch));
  finding.catch(() => {});
  return () => read(finding, context, held, purgesSince !== null);
}

/** The context with the entry that may be served, unless it was purged, is for others, or nothing is to be served. */
export function withEntry(context: CacheContext, found: Entry | null): CacheContext {
  const { parts, address } = context;
  const status = found ? parts.withdrawals.statusOf(address, found) : null;
  if (status?.kind === "hard") parts.memory.drop(address);
  const usable = found && status?.kind !== "hard" && !parts.observe && isForRequester(context, found);
  const staleSince = status?.kind === "soft" ? status.since : null;
  return { ...context, entry: usable ? found : null, staleSince };
}

/** The entry that the search found; what the isolate holds where the store did not answer. */
async function read(
  searching: Promise<Finding>,
  context: CacheContext,
  held: Entry | null,
  purgesRead: boolean,
): Promise<Entry | null> {
  const { parts, address, selecting } = context;
  const { memory, entries, platform } = parts;
  let finding: Finding;
  try {
    finding = await searching;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "command") parts.reportCorrupt(context);
    return held;
  }
  parts.withdrawals.learn(address, finding, purgesRead);
  const { hard, soft } = finding.invalidatedAt;
  context.isNew = finding.kind === "nothing" && hard === 0 && soft === 0;
  context.others = entries === memory ? [] : finding.others;
  context.varyMiss = finding.kind === "other-variants";
  if (finding.kind === "corrupt") parts.reportCorrupt(context);
  if (finding.kind !== "entry" || finding.entry.keepUntil <= platform.now()) return held;
  // Meanwhile this isolate may have got a newer one, or what it wrote has not arrived.
  const here = memory.held(address, selecting);
  if (here && here.meta.requestTime > finding.entry.meta.requestTime) return here;
  memory.put(address, finding.entry);
  return finding.entry;
}
