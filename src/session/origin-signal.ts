import * as z from "zod/mini";
import { sessionTier, sessionUser } from "./input.ts";
import { DEVICE_INFO_BYTES, jsonTooLarge, USER_DATA_BYTES } from "./record.ts";

/** The content of the origin's `X-Edge-Session` field, which is base64url of JSON. */
export interface SessionSignal {
  userId: string;
  tier: string | null;
  userData: unknown;
  deviceInfo: unknown;
  /** How the client gets the token. Default `cookie`. */
  carry: "cookie" | "bearer";
}

const signal = z.object({
  user_id: sessionUser,
  tier: z.optional(z.nullable(sessionTier)),
  user_data: z.optional(z.unknown()),
  device_info: z.optional(z.unknown()),
  carry: z.optional(z.enum(["cookie", "bearer"])),
});

/** Parses an `X-Edge-Session` field. @returns null when it is malformed or too large. */
export function parseSessionSignal(text: string): SessionSignal | null {
  try {
    const binary = atob(text.trim().replaceAll("-", "+").replaceAll("_", "/"));
    const json = new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    const parsed = z.safeParse(signal, JSON.parse(json));
    if (!parsed.success) return null;
    const { user_id, tier, user_data, device_info, carry } = parsed.data;
    if (jsonTooLarge(user_data, USER_DATA_BYTES) || jsonTooLarge(device_info, DEVICE_INFO_BYTES)) return null;
    return {
      userId: user_id,
      tier: tier ?? null,
      userData: user_data ?? {},
      deviceInfo: device_info ?? {},
      carry: carry ?? "cookie",
    };
  } catch {
    return null;
  }
}
