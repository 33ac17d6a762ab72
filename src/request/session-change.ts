import type { TokenSource } from "../identity/caller.ts";

/**
 * What happened to the client's session, as data: `finish` alone turns it into header fields.
 *
 * - `issued`: a new session, or a new id. The answer is for nobody else.
 * - `renewed`: the same session with a younger confirmation.
 * - `cleared`: the cookie is over.
 */
export type SessionChange =
  | { kind: "issued" | "renewed"; token: string; expiresAt: number; tokenSource: TokenSource }
  | { kind: "cleared" };
