import * as z from "zod/mini";
import { wellFormed } from "../runtime/well-formed.ts";

/** The user id of a new session, 1 to 256 characters: every token has room for it. */
export const sessionUser = z.string().check(z.minLength(1), z.maxLength(256), wellFormed);
/** The tier of a new session, at most 64 characters. */
export const sessionTier = z.string().check(z.maxLength(64), wellFormed);
