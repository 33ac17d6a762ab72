import * as z from "zod/mini";

/**
 * Accepts only text without lone surrogates. A lone surrogate has no UTF-8 encoding: encoders replace it, so that different
 * user ids would get the same hash.
 */
export const wellFormed = z.refine<string>((text) => text.isWellFormed(), "must have no half of a character");
