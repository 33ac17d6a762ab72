import * as z from "zod/mini";
import { signalJson } from "../http/signal-json.ts";
import { wellFormed } from "../runtime/well-formed.ts";

/** What the origin says of an API key in `X-Edge-Caller`. */
export type KeySignal =
  /** The origin accepts the key, and may say whose it is. */
  | { kind: "accepted"; userId: string | null; tier: string | null }
  /** `null`: the origin no longer accepts it. */
  | { kind: "ended" };

// As long as a session's user and tier may be: an isolate keeps ten thousand of them.
const userId = z.string().check(z.minLength(1), z.maxLength(256), wellFormed);
const tier = z.string().check(z.maxLength(64), wellFormed);
const signal = z.object({ user_id: z.optional(z.nullable(userId)), tier: z.optional(z.nullable(tier)) });

/**
 * Parses an `X-Edge-Caller` field: JSON, or base64url of it. Further members are ignored.
 *
 * @returns null when it is malformed or too large; such a field verifies and ends nothing.
 */
export function parseKeySignal(text: string): KeySignal | null {
  const json = signalJson(text);
  if (json === null) return { kind: "ended" };
  const parsed = z.safeParse(signal, json);
  if (!parsed.success || Array.isArray(json)) return null;
  return { kind: "accepted", userId: parsed.data.user_id ?? null, tier: parsed.data.tier || null };
}
