import { createHash } from "node:crypto";

/**
 * Upstash knows the flag `allow-key-locking` in a script's first line; stock Redis refuses such a script. So the flag is
 * taken out before Redis sees it, and because the caller knows the script by the SHA-1 of what it wrote, that name is
 * kept as an alias of the stripped one. Without the alias every call would be EVALSHA, NOSCRIPT, EVAL.
 */
export class ScriptAliases {
  readonly #stripped = new Map<string, string>();

  /** The source as Redis may read it; the alias is remembered. */
  load(source: string): string {
    const stripped = withoutKeyLocking(source);
    if (stripped !== source) this.#stripped.set(sha1(source), sha1(stripped));
    return stripped;
  }

  /** The SHA-1 under which Redis knows a script. After a restart Redis may answer NOSCRIPT to it. */
  resolve(sha: string): string {
    return this.#stripped.get(sha.toLowerCase()) ?? sha;
  }
}

export function sha1(source: string): string {
  return createHash("sha1").update(source).digest("hex");
}

function withoutKeyLocking(source: string): string {
  const shebang = /^#!lua[^\n]*/.exec(source)?.[0];
  const flags = /flags=([^\s]*)/.exec(shebang ?? "")?.[1]?.split(",");
  if (shebang === undefined || !flags?.includes("allow-key-locking")) return source;
  const rest = flags.filter((flag) => flag !== "allow-key-locking");
  const line = rest.length > 0 ? shebang.replace(/flags=[^\s]*/, `flags=${rest.join(",")}`) : "";
  return line + source.slice(shebang.length);
}
