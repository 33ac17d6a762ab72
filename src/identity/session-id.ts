/** What separates the id that a session got at its sign-in from what its last rotation added. */
const SEPARATOR = "~";

/**
 * What a session's id is made of. Its characters stand in a URL and in a cookie as they are, and no other key of the store is
 * named so.
 */
export const SESSION_ID = /^[A-Za-z0-9_-]{22,64}(~[A-Za-z0-9_-]{22,64})?$/;

/** Whether a text may be a session's id. */
export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

/** The id of a rotated session: the id of its sign-in, and something new. @param added Random, base64url. */
export function rotatedId(id: string, added: string): string {
  return `${signInOf(id)}${SEPARATOR}${added}`;
}

/**
 * The id that a session got at its sign-in. Rotations keep it, so that "all sessions but this one" names the same session
 * before and after a rotation, whenever that is written.
 *
 * @example signInOf("AAAA~CCCC") // "AAAA", as for "AAAA" and "AAAA~BBBB"
 */
export function signInOf(id: string): string {
  const end = id.indexOf(SEPARATOR);
  return end === -1 ? id : id.slice(0, end);
}
