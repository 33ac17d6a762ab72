import * as z from "zod/mini";
import { signalText } from "../http/signal-json.ts";
import type { JsonText } from "../runtime/json-text.ts";
import { sessionTier, sessionUser } from "./input.ts";
import { DEVICE_INFO_BYTES, givenMember, jsonTooLarge, USER_DATA_BYTES } from "./record.ts";

/** The content of the origin's `X-Edge-Session` field. */
export interface SessionSignal {
  userId: string;
  tier: string | null;
  userData: JsonText;
  deviceInfo: JsonText;
  /** How the client gets the token. Default `cookie`. */
  carry: "cookie" | "bearer";
}

const signal = z.object({
  user_id: sessionUser,
  tier: z.optional(z.nullable(sessionTier)),
  carry: z.optional(z.enum(["cookie", "bearer"])),
});

/** Parses an `X-Edge-Session` field: JSON, or base64url of it. @returns null when it is malformed or too large. */
export function parseSessionSignal(text: string): SessionSignal | null {
  const json = signalText(text);
  const parsed = json === undefined ? null : z.safeParse(signal, JSON.parse(json));
  if (json === undefined || !parsed?.success) return null;
  const { user_id, tier, carry } = parsed.data;
  const userData = givenMember(json, "user_data");
  const deviceInfo = givenMember(json, "device_info");
  if (jsonTooLarge(userData, USER_DATA_BYTES) || jsonTooLarge(deviceInfo, DEVICE_INFO_BYTES)) return null;
  return { userId: user_id, tier: tier ?? null, userData, deviceInfo, carry: carry ?? "cookie" };
}
