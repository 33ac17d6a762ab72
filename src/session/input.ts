import * as z from "zod/mini";
import { wellFormed } from "../runtime/well-formed.ts";

/** Whose session it is to be, and of which tier: as much as a token of any session has room for. */
export const sessionUser = z.string().check(z.minLength(1), z.maxLength(256), wellFormed);
export const sessionTier = z.string().check(z.maxLength(64), wellFormed);
