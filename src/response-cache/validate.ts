import type { OriginFetch } from "../request/origin-reply.ts";
import { StoreError } from "../store/errors.ts";
import type { CacheContext } from "./context.ts";
import type { Entry } from "./entry.ts";
import type { StoredResponse } from "./rules/stored.ts";
import { confirmedBy, validationCandidates } from "./rules/validation.ts";
import { isNegotiated, selectingFields } from "./rules/vary.ts";
import { addTags } from "./tags.ts";
import { isForRequester } from "./usable.ts";

/** A stored response whose validator the origin is sent, so that its 304 may name it. */
export interface Candidate {
  meta: StoredResponse;
  /** Held in the isolate, or to be fetched from Redis by its name. */
  at: { kind: "here"; entry: Entry } | { kind: "redis"; name: string };
}

/**
 * All variants of the URL by which the origin may say that it has nothing new (RFC 9111 §4.3.1): the selected one, those
 * that the isolate holds, and those of which Redis has told the entity tags.
 */
function candidatesOf(context: CacheContext, selected: Entry | null): Candidate[] {
  const { parts, address, others, requester } = context;
  const here: Candidate[] = [];
  const held = parts.memory.variants(address);
  // Nothing is stored of most URLs that the origin is asked for.
  if (!selected && held.length === 0 && others.length === 0) return here;
  for (const entry of new Set([...(selected ? [selected] : []), ...held])) {
    // Purged is as if it had never been stored.
    const gone = parts.withdrawals.statusOf(address, entry).kind === "hard";
    if (isForRequester(context, entry) && !gone) here.push({ meta: entry.meta, at: { kind: "here", entry } });
  }
  const known = new Set(here.map(({ meta }) => tagIn(meta)));
  const elsewhere = others
    .filter(({ tag, shareable }) => !known.has(tag) && (requester === "anonymous" || shareable))
    .map(({ name, tag }): Candidate => ({ meta: tagOnly(tag), at: { kind: "redis", name } }));
  const all = [...here, ...elsewhere];
  const wanted = new Set(
    validationCandidates(
      all.map(({ meta }) => meta),
      selected?.meta ?? null,
    ),
  );
  return all.filter(({ meta }) => wanted.has(meta));
}

/** The {@link candidatesOf}, or none where the origin cannot be asked twice: a handler answers the request as it came. */
export function validatorsFor(
  context: CacheContext,
  origin: OriginFetch,
  selected: Entry | null,
): readonly Candidate[] {
  return origin.repeatable && !context.parts.observe ? candidatesOf(context, selected) : [];
}

/**
 * The entry that a 304 confirms, or null: another than the selected one only where neither its own `Vary` nor that of the
 * 304 says that it may be another reader's. One that only Redis has costs a second call before the answer, and saves its
 * body on the way from the origin.
 */
export async function confirmedEntry(
  context: CacheContext,
  notModified: Headers,
  candidates: readonly Candidate[],
): Promise<Entry | null> {
  const meta = confirmedBy(
    notModified,
    candidates.map((each) => each.meta),
  );
  const candidate = candidates.find((each) => each.meta === meta);
  if (!candidate) return null;
  const { at } = candidate;
  if (at.kind === "here" && at.entry === context.entry) return at.entry;
  const vary = selectingFields(notModified);
  if (vary === "*" || !isNegotiated(vary)) return null;
  const entry = at.kind === "here" ? at.entry : await fetchVariant(context, at.name);
  return entry && isNegotiated(entry.meta.vary) ? entry : null;
}

/** A variant that the isolate does not hold: null where it is gone, purged, or the store does not answer. */
async function fetchVariant(
  { parts, address, request, rule }: CacheContext,
  name: string,
): Promise<Entry | null> {
  const { entries, store, withdrawals } = parts;
  const batch = store.batch(request.waitUntil);
  const reading = entries.variant(address, name, batch);
  await batch.send();
  try {
    const entry = await reading;
    if (entry) addTags(entry, rule.tags);
    return entry && withdrawals.statusOf(address, entry).kind !== "hard" ? entry : null;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

function tagIn({ headers }: StoredResponse): string | undefined {
  return headers.find(([name]) => name === "etag")?.[1];
}

/** As much of a stored response as a tag needs. Its time is the epoch: whatever is held here is more recent. */
function tagOnly(tag: string): StoredResponse {
  return {
    status: 200,
    headers: [["etag", tag]],
    requestTime: 0,
    responseTime: 0,
    vary: [],
    credentials: false,
  };
}
