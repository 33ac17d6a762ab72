import type { TokenSource } from "../identity/caller.ts";

/**
 * A change to the client's session. Only `finish` turns it into header fields.
 *
 * - `issued`: the client gets a new session or a new id. The response must not be stored.
 * - `renewed`: the client gets a token with a newer confirmation time. No shared cache may store the response.
 * - `cleared`: the client's cookie is deleted.
 *
 * `expiresAt` is in milliseconds since the epoch.
 */
export type SessionChange =
  | { kind: "issued" | "renewed"; token: string; expiresAt: number; tokenSource: TokenSource }
  | { kind: "cleared" };
