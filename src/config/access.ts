/** The kinds of credential that a route may ask for. */
export const CREDENTIAL_KINDS = ["key", "jwt", "session"] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/**
 * Who may use a route: anybody (`public`), whoever has one verified credential of any kind (`identified`), a living session
 * (`session`), or one credential of the listed kinds.
 */
export type Access = "public" | "identified" | "session" | readonly CredentialKind[];

/** Whether a verified credential of this kind opens a route. */
export function admits(access: Access, kind: CredentialKind): boolean {
  if (typeof access !== "string") return access.includes(kind);
  return access !== "session" || kind === "session";
}

/** A list in the words of the other form, where that has one: `["session"]` is `session`, all three are `identified`. */
export function compiledAccess(access: Access): Access {
  if (typeof access === "string") return access;
  const kinds = CREDENTIAL_KINDS.filter((kind) => access.includes(kind));
  if (kinds.length === CREDENTIAL_KINDS.length) return "identified";
  return kinds.length === 1 && kinds[0] === "session" ? "session" : kinds;
}
