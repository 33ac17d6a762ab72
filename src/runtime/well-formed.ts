import * as z from "zod/mini";

/**
 * A text without half a character: a lone surrogate has no UTF-8, so it could be neither a header's value nor hashed as
 * itself, and two different users would be one.
 */
export const wellFormed = z.refine<string>((text) => text.isWellFormed());
