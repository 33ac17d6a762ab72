import * as z from "zod/mini";
import { wellFormed } from "../../runtime/well-formed.ts";

/**
 * A user of sessions or of a JWT, however long: neither the `sub` of a JWT nor what a handler starts a session for ends at 256 characters, and
 * whoever was let in can be looked up, signed out and deleted. The body's length bounds it.
 */
export const anyUser = z.string().check(z.minLength(1), wellFormed);
