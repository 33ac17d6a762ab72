import * as z from "zod/mini";
import { wellFormed } from "../runtime/well-formed.ts";

/**
 * Whether a path under `AUTH_BASE_PATH` can name a user. `.` and `..` are no segments of a path, however they are encoded
 * (RFC 3986 §5.2.4; the URL standard reads `%2e` so too).
 */
export function isNameable(userId: string): boolean {
  return userId !== "" && userId !== "." && userId !== "..";
}

/** What is wrong with such a user id. */
export const UNNAMEABLE = "must not be . or .., which no URL can name";

/** The user id of a new session, 1 to 256 characters: every token has room for it. */
export const sessionUser = z
  .string()
  .check(z.minLength(1), z.maxLength(256), z.refine(isNameable, UNNAMEABLE), wellFormed);
/** The tier of a new session, at most 64 characters. */
export const sessionTier = z.string().check(z.maxLength(64), wellFormed);
