import type { Batch } from "../store/batch.ts";
import { StoreError } from "../store/errors.ts";
import type { CacheContext, CacheLookup, Found } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { EntryQuery, Finding } from "./entry-store.ts";
import { share } from "./fill.ts";
import type { Requester } from "./rules/scope-table.ts";
import { addTags } from "./tags.ts";
import { isForRequester, reuseOf } from "./usable.ts";

/**
 * Looks for the entry of a request: in the isolate, and where that cannot answer alone, in the store that all isolates
 * share, whose command is queued on the batch.
 *
 * @returns what reads the reply, once the batch is back.
 */
export async function lookUp(lookup: CacheLookup, batch: Batch): Promise<() => Found | Promise<Found>> {
  const { parts, address, selecting } = lookup;
  const { entries, memory, withdrawals, varyingRoutes } = parts;
  const { waitUntil, route } = lookup.request;
  const purgesSince = withdrawals.purgesSince;
  const userEnd = withdrawals.readUserEnd(address, batch);
  let held = heldOf(lookup);
  if (held && purgesSince === null && userEnd === null) return () => inIsolate(held);
  const varies = varyingRoutes.has(route.name);
  if (varies || (!held && memory.holds(address))) await selecting.hide();
  held ??= heldOf(lookup);
  const toldOnly = held !== null && isFresh(lookup, held);
  const { changesSince } = withdrawals;
  const query = {
    selecting,
    heldId: held?.id ?? null,
    purgesSince,
    changesSince,
    toldOnly,
    varies,
    waitUntil,
  };
  const finding = Promise.resolve(entries.find(address, query, batch));
  finding.catch(() => {});
  const searching = userEnd ? userEnd.then(() => finding) : finding;
  searching.catch(() => {});
  return () => read(searching, lookup, held, query);
}

/** What may be served of what was found: nothing that was purged, that is for others, or in observation. */
export function contextOf(lookup: CacheLookup, found: Found, requester: Requester): CacheContext {
  const { parts, address } = lookup;
  const { entry } = found;
  const status = entry ? parts.withdrawals.statusOf(address, entry) : null;
  if (status?.kind === "hard") parts.memory.drop(address);
  const context: CacheContext = {
    ...lookup,
    ...found,
    requester,
    selected: status?.kind === "hard" ? null : entry,
    staleSince: status?.kind === "soft" ? status.since : null,
  };
  const usable = entry && status?.kind !== "hard" && !parts.observe && isForRequester(context, entry);
  if (!usable) return { ...context, entry: null };
  if (parts.entries !== parts.memory && parts.admission.askedAgain(address, entry))
    share(context, entry, false);
  return context;
}

/** What the isolate holds for the request. What was purged is dropped: the shared store may have a newer one. */
export function heldOf({ parts, address, selecting }: CacheLookup): Entry | null {
  const { memory, withdrawals } = parts;
  const held = memory.held(address, selecting);
  if (!held || withdrawals.statusOf(address, held).kind !== "hard") return held;
  memory.drop(address);
  return null;
}

/** The entry that the search found; what the isolate holds where the store did not answer. */
async function read(
  searching: Promise<Finding>,
  lookup: CacheLookup,
  held: Entry | null,
  query: EntryQuery,
): Promise<Found> {
  const { parts, address, selecting, request } = lookup;
  const { memory, entries, platform, withdrawals, varyingRoutes } = parts;
  let finding: Finding;
  try {
    finding = await searching;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    if (error.code === "command") parts.reportCorrupt(request);
    return inIsolate(held);
  }
  withdrawals.learn(address, finding, query.purgesSince !== null);
  if (finding.kind === "told-only") {
    const stays = held !== null && memory.held(address, selecting) === held && isFresh(lookup, held);
    return stays ? inIsolate(held) : searchAgain(lookup, query);
  }
  varyingRoutes.note(request.route.name, finding.varies ?? false);
  const { withdrawnAt = 0 } = finding;
  const isWithdrawn = (entry: Entry) => entry.meta.requestTime <= withdrawnAt;
  const gone = held !== null && isWithdrawn(held);
  if (gone) memory.withdraw(address, { variant: held.variant, requestTime: withdrawnAt });
  if (finding.kind === "corrupt") parts.reportCorrupt(request);
  const { hard, soft } = finding.invalidatedAt;
  const found = {
    entry: gone ? null : held,
    others: entries === memory ? [] : finding.others,
    varyMiss: finding.kind === "other-variants",
    isNew: finding.kind === "nothing" && !finding.varies && Math.max(hard, soft, withdrawnAt) === 0,
  };
  if (finding.kind !== "entry" || finding.entry.keepUntil <= platform.now()) return found;
  if (isWithdrawn(finding.entry)) return found;
  addTags(finding.entry, lookup.rule.tags);
  // Meanwhile this isolate may have got a newer one, or what it wrote has not arrived.
  const here = memory.held(address, selecting);
  if (here && here.meta.requestTime > finding.entry.meta.requestTime) return { ...found, entry: here };
  memory.put(address, finding.entry);
  return { ...found, entry: finding.entry };
}

/** What the isolate held is out of use: others may have stored a newer one. */
async function searchAgain(lookup: CacheLookup, query: EntryQuery): Promise<Found> {
  const { parts, address, selecting, request } = lookup;
  await selecting.hide();
  const held = heldOf(lookup);
  const batch = parts.store.batch(request.waitUntil);
  const again = { ...query, heldId: held?.id ?? null, purgesSince: null, toldOnly: false };
  const searching = Promise.resolve(parts.entries.find(address, again, batch));
  searching.catch(() => {});
  await batch.send();
  return read(searching, lookup, held, again);
}

function isFresh(lookup: CacheLookup, held: Entry): boolean {
  if (lookup.parts.withdrawals.statusOf(lookup.address, held).kind !== "none") return false;
  return reuseOf({ ...lookup, staleSince: null, entry: held }, held).kind === "fresh";
}

function inIsolate(entry: Entry | null): Found {
  return { entry, others: [], varyMiss: false, isNew: false };
}
