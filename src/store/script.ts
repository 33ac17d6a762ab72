import { hex } from "../runtime/hex.ts";

/** A Lua script and, from its first use on, its SHA-1. */
export interface Script {
  readonly source: string;
  /** Hex, as EVALSHA takes it; set by {@link scriptSha}. */
  sha: string | undefined;
}

/**
 * Declares a script. Its first line should be `#!lua flags=allow-key-locking`: without it Upstash takes the lock of the
 * whole database while the script runs. Every key it touches must then be in KEYS.
 */
export function defineScript(source: string): Script {
  return { source: source.trim(), sha: undefined };
}

/** The script's SHA-1 in hex. It is kept as plain data, so that no request waits for another's promise (law 4). */
export async function scriptSha(script: Script): Promise<string> {
  if (script.sha) return script.sha;
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(script.source));
  script.sha = hex(new Uint8Array(digest));
  return script.sha;
}
