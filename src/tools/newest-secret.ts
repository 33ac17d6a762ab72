import { pasted } from "../config/read-secrets.ts";

/** The secret that the edge would use of a variable with several: the first. Undefined where there is none. */
export function newestSecret(text = ""): string | undefined {
  return pasted(pasted(text).split(",")[0] ?? "") || undefined;
}
