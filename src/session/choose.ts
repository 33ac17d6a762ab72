import type { UnverifiedIdentity } from "../identity/confirmed.ts";
import type { SessionClaims } from "../identity/session-token.ts";
import type { Decide, EdgeRequest } from "../request/capability.ts";
import type { Batch } from "../store/batch.ts";
import type { Store } from "../store/store.ts";
import type { SessionVerdict } from "./verdict.ts";

export interface ChoiceOptions {
  /** Whether a session lives, as far as this isolate knows; null where Redis has to be asked. */
  known(claims: SessionClaims): Promise<"alive" | "over" | null>;
  validate(request: EdgeRequest, batch: Batch): Promise<Decide<SessionVerdict>>;
  store: Pick<Store, "batch">;
}

export interface Choice {
  claims: UnverifiedIdentity;
  /** Calls to the store that it took: 0, or 1 where there was a choice. */
  calls: number;
}

/**
 * Of several session cookies with a good signature the first whose session lives, or the first of all where none does.
 * Browsers send one; two come from cookies of one name for two paths (RFC 6265 §5.4). Which lives has to be known before a
 * limit is charged, so a request with several costs one more call, but for what the isolate knows; routes that need a session
 * always ask.
 */
export async function chooseSession(
  { known, validate, store }: ChoiceOptions,
  request: EdgeRequest,
): Promise<Choice> {
  const { claims } = request;
  const { session } = claims;
  if (session.kind !== "signed" || !session.others?.length) return { claims, calls: 0 };
  const batch = store.batch(request.waitUntil);
  const all = [session.claims, ...session.others];
  const candidates = all.map((each): UnverifiedIdentity => {
    const others = all.filter((other) => other !== each);
    return { ...claims, session: { ...session, claims: each, others } };
  });
  if (request.route.access !== "session") {
    for (const [index, candidate] of candidates.entries()) {
      const outcome = await known(all[index] ?? session.claims);
      if (outcome === "alive") return { claims: candidate, calls: 0 };
      if (outcome === null) break;
    }
  }
  const asked = await Promise.all(
    candidates.map(async (candidate) => {
      // What a candidate would write is written once it is chosen.
      const decide = await validate({ ...request, claims: candidate, after: () => {} }, batch);
      return { candidate, decide };
    }),
  );
  await batch.send();
  const verdicts = await Promise.all(
    asked.map(async ({ candidate, decide }) => ({ candidate, kind: (await decide()).kind })),
  );
  const living = verdicts.find(({ kind }) => kind === "active") ?? verdicts[0];
  return { claims: living?.candidate ?? claims, calls: batch.calls };
}
