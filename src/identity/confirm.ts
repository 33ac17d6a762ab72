import type { KeyClaim } from "./caller.ts";
import type { Identifier } from "./caller-hash.ts";
import {
  type ConfirmedIdentity,
  confirmedIdentity,
  type IdentityOutcomes,
  type UnverifiedIdentity,
} from "./confirmed.ts";
import type { SessionClaims } from "./session-token.ts";

/** The identities that a request may have, and the step that chooses one. */
export interface Confirmation {
  /** The possible identities, for code that queues commands before the session is confirmed. */
  outcomes: IdentityOutcomes;
  /** Returns the identity. @param sessionLives Whether the session is valid. */
  confirm(sessionLives: boolean): ConfirmedIdentity;
  /** Returns the identity with what Redis has said of its API key: the same object where nothing has changed. */
  withKey(identity: ConfirmedIdentity, key: KeyClaim): Promise<ConfirmedIdentity>;
}

export interface ConfirmationOptions {
  identifier: Pick<Identifier, "identity">;
  /** Whether a session lives, as far as this isolate knows; null where Redis has to be asked. */
  knownOutcome(session: SessionClaims): Promise<"alive" | "over" | null>;
  /** Sessions take part. Without them a session token says nothing about anybody. */
  sessions: boolean;
}

/**
 * Derives the identities from the claims of a request. A session's user counts only where the session is valid. A verified
 * key and a verified JWT need no confirmation.
 */
export async function confirmation(
  claims: UnverifiedIdentity,
  { identifier, knownOutcome, sessions }: ConfirmationOptions,
): Promise<Confirmation> {
  const withKey: Confirmation["withKey"] = async (identity, key) =>
    key === identity.key ? identity : identityWith(identity.session, key);
  const over = await identityWith(null);
  if (!sessions || claims.session.kind !== "signed") {
    return { outcomes: { kind: "settled", identity: over }, confirm: () => over, withKey };
  }
  const session = claims.session.claims;
  const alive = await identityWith(session);
  const known = await knownOutcome(session);
  return {
    outcomes:
      known === null
        ? { kind: "open", alive, over, session }
        : { kind: "settled", identity: known === "alive" ? alive : over },
    confirm: (sessionLives) => (sessionLives ? alive : over),
    withKey,
  };

  async function identityWith(
    living: SessionClaims | null,
    key: KeyClaim = claims.key,
  ): Promise<ConfirmedIdentity> {
    const { address, addressIdentity, credentials, jwt } = claims;
    const user = userOf(living, key);
    return confirmedIdentity({
      address,
      addressIdentity,
      credentials,
      key,
      jwt,
      session: living,
      user,
      tier: key.kind === "verified" && key.tier !== null ? key.tier : (user?.tier ?? null),
      identity:
        key.kind === "verified"
          ? { kind: "key", hash: key.hash }
          : user
            ? await identifier.identity("user", user.id)
            : addressIdentity,
    });
  }

  function userOf(living: SessionClaims | null, key: KeyClaim): ConfirmedIdentity["user"] {
    const { jwt } = claims;
    if (living) return { id: living.userId, tier: living.tier };
    if (jwt.kind === "verified") return { id: jwt.userId, tier: jwt.tier };
    if (key.kind === "verified" && key.userId !== null) return { id: key.userId, tier: key.tier };
    return null;
  }
}
