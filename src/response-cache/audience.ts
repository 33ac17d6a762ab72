import type { Identifier } from "../identity/caller-hash.ts";
import type { ConfirmedIdentity } from "../identity/confirmed.ts";

/** Whose own entries they are, in a cache with `scope: "caller"`. */
export interface Audience {
  /** Hash of all that the edge knows of the caller and the origin may go by. */
  key: string;
  /** Hash of the caller's user, by which all of one user's entries end together; null where the caller has none. */
  user: string | null;
}

/**
 * The audience of a requester who is `verified`, by the one credential that says who it is: a session's user and tier, a
 * key, or what a JWT claims. A token with fewer scopes is another audience than one with more.
 */
export async function audienceOf(identity: ConfirmedIdentity, hash: Identifier["hash"]): Promise<Audience> {
  const { user } = identity;
  return {
    key: await hash("audience", JSON.stringify(factsOf(identity))),
    user: user && (await hash("user", user.id)),
  };
}

function factsOf({ session, key, jwt }: ConfirmedIdentity): (string | null)[] {
  if (session) return ["session", session.userId, session.tier];
  if (key.kind === "verified") return ["key", key.hash, key.userId, key.tier];
  return jwt.kind === "verified" ? ["jwt", jwt.claims] : ["nobody"];
}
